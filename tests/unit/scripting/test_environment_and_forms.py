"""Environment variables and Web View variables (CB: reference/scripting.md 1.2, 1.3)."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from shared.dialog.scripts import MINTED, FormRead, NeedContext, Warn

Scene = Callable[..., Any]


def test_get_env_variable_gives_the_value_from_the_manifest(scene: Scene) -> None:
    assert scene(environment={"url": "u"}).logs("botContext.getEnvVariable('url')") == "u"


@pytest.mark.parametrize("name", ["nothing", "constructor", "__proto__"])
def test_get_env_variable_of_an_unknown_name_gives_null(scene: Scene, name: str) -> None:
    assert scene().logs(f"botContext.getEnvVariable('{name}') === null") == "true"


def test_environment_variables_are_texts_with_underscores_in_their_names(scene: Scene) -> None:
    turn = scene(environment={"system_intermediateBotResponseTimeout": "15000"})
    assert turn.logs("typeof botContext.getEnvVariable('system_intermediateBotResponseTimeout')") == "string"


def test_a_script_cannot_change_the_environment(scene: Scene) -> None:
    turn = scene(environment={"a": "1"})
    turn.run("botContext.setBotVariable('a', 2)")
    assert turn.logs("botContext.getEnvVariable('a')") == "1"


def test_get_web_view_variable_gives_what_was_posted_under_the_name(scene: Scene) -> None:
    assert scene(web_view={"name": "Ann"}).logs("botContext.getWebViewVariable('name')") == "Ann"


def test_get_web_view_variable_of_a_name_not_posted_gives_null(scene: Scene) -> None:
    assert scene().logs("botContext.getWebViewVariable('nothing') === null") == "true"


def test_get_web_view_variables_gives_an_object_by_name(scene: Scene) -> None:
    turn = scene(web_view={"name": "Ann", "age": "7"})
    assert turn.logs("JSON.stringify(botContext.getWebViewVariables())") == '{"name":"Ann","age":"7"}'
    assert scene().logs("JSON.stringify(botContext.getWebViewVariables())") == "{}"


def test_web_view_variables_and_bot_variables_are_apart(scene: Scene) -> None:
    turn = scene(web_view={"a": "posted"}, variables={"a": "set"})
    assert turn.logs("botContext.getWebViewVariable('a') + botContext.getBotVariable('a')") == "postedset"


def test_reading_what_a_form_posted_is_told_once_for_each_name(scene: Scene) -> None:
    read = "botContext.getWebViewVariable"
    outcome = scene(web_view={"a": "1", "b": "2"}).run(f"{read}('a'); {read}('a'); {read}('b'); {read}('none')")
    assert outcome.effects == [FormRead("a"), FormRead("b")]
    many = f"for (var i = 0; i < 1e4; i++) {{ {read}('__proto__'); botContext.getWebViewVariables(); }}"
    assert scene(web_view={"__proto__": "1"}).run(many).effects == [FormRead("__proto__"), FormRead(None)]


def wanted(scene: Scene, source: str, **state: Any) -> list[Any]:
    """What a script asks for: the first of its tokens."""
    with pytest.raises(NeedContext) as need:
        scene(**state).run(source)
    (key,) = need.value.keys
    assert key.startswith(MINTED)
    return list(json.loads(key.removeprefix(MINTED)))


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("{variables: ['size', 'day'], expiresIn: 90, once: true}", [["size", "day"], 90, True]),
        ("{variables: 'size', expiresIn: '90', once: 'true'}", [["size"], 90, True]),
        ("{variables: [1, null], expiresIn: 'soon', once: 'false'}", [["1", "null"], 0, False]),
        ("{}", [[], 0, False]),
        ("", [[], 0, False]),
        ("null", [[], 0, False]),
    ],
)
def test_get_web_view_token_asks_for_a_token(scene: Scene, given: str, asked: list[Any]) -> None:
    assert wanted(scene, f"botContext.getWebViewToken({given})")[:3] == asked


def test_get_web_view_token_gives_what_was_made_outside(scene: Scene) -> None:
    call = "botContext.getWebViewToken({variables: ['size'], once: true})"
    key = MINTED + json.dumps(wanted(scene, call), separators=(",", ":"))
    assert scene(context={key: {"token": "wv1.abc"}}).logs(call) == "wv1.abc"


def test_two_tokens_of_one_script_and_those_of_two_scripts_are_different_ones(scene: Scene) -> None:
    call = "botContext.getWebViewToken({})"
    first = wanted(scene, call)
    key = MINTED + json.dumps(first, separators=(",", ":"))
    second = wanted(scene, f"{call}; {call}", context={key: {"token": "one"}})
    other = wanted(scene, call, seed=8)
    assert len({str(one[3:]) for one in (first, second, other)}) == 3


def test_get_web_view_token_gives_null_and_a_warning_when_none_can_be_made(scene: Scene) -> None:
    call = "botContext.getWebViewToken({})"
    key = MINTED + json.dumps(wanted(scene, call), separators=(",", ":"))
    outcome = scene(context={key: {}}).run(f"botContext.setBotVariable('t', {call})")
    assert [effect for effect in outcome.effects if isinstance(effect, Warn)] == [
        Warn("refused", "getWebViewToken: this token cannot be made: see docs/web-view.md")
    ]
