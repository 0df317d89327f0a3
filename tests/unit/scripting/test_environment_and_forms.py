"""Environment variables and Web View variables (CB: reference/scripting.md 1.2, 1.3)."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.dialog.scripts import FormRead

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
