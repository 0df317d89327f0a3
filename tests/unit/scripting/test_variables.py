from collections.abc import Callable
from typing import Any

import pytest

from shared.dialog.scripts import SetVariable, Warn

Scene = Callable[..., Any]


def test_a_variable_that_is_not_set_is_null(scene: Scene) -> None:
    assert scene().logs("botContext.getBotVariable('nothing') === null") == "true"


@pytest.mark.parametrize("name", ["constructor", "__proto__", "toString", "hasOwnProperty"])
def test_names_of_object_prototypes_are_ordinary_names(scene: Scene, name: str) -> None:
    outcome = scene().run(f"if (botContext.getBotVariable('{name}') === null) botContext.setBotVariable('{name}', 1)")
    assert outcome.effects == [SetVariable(name, 1, "request")]
    assert scene().logs(f"botContext.getBotVariable('{name}')", variables={name: "x"}) == "x"


@pytest.mark.parametrize(
    ("flags", "scope"),
    [
        ("", "request"),
        (", false, false", "request"),
        (", true", "session"),
        (", true, false", "session"),
        (", false, true", "forever"),
        (", true, true", "forever"),
        (", 'false', 'false'", "request"),
    ],
)
def test_the_flags_of_set_bot_variable_choose_the_scope(scene: Scene, flags: str, scope: str) -> None:
    assert scene().run(f"botContext.setBotVariable('a', 'b'{flags})").effects == [SetVariable("a", "b", scope)]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("10", 10),
        ("0.5", 0.5),
        ("1e20", 1e20),
        ("-0", 0),
        ("0", 0),
        ("''", ""),
        ("false", False),
        ("true", True),
        ("null", None),
        ("undefined", None),
        ("NaN", "NaN"),
        ("-1/0", "-Infinity"),
        ("[1, 'a', null]", [1, "a", None]),
        ("{a: {b: []}}", {"a": {"b": []}}),
        ("function () {}", None),
        ("new Date(0)", "Thu Jan 01 1970 00:00:00 GMT+0000"),
        ("{at: new Date(0)}", {"at": "1970-01-01T00:00:00.000Z"}),
        ("new String('a')", "a"),
        ("'\\ud83d\\ude00\\u0000'", "\N{GRINNING FACE}\0"),
        ("'\\ud83d'", "\N{REPLACEMENT CHARACTER}"),
        ("'\\\\ud83d'", "\\ud83d"),
        ("10n", "10"),
    ],
)
def test_a_value_crosses_as_what_json_can_carry(scene: Scene, expression: str, value: Any) -> None:
    (effect,) = scene().run(f"botContext.setBotVariable('a', {expression}, true)").effects
    assert effect == SetVariable("a", value, "session")
    assert type(effect.value) is type(value)


def test_values_keep_their_type_on_the_way_in(scene: Scene) -> None:
    variables = {"n": 1, "t": "1", "b": False, "o": {"a": [1]}, "null": None}
    source = "['n','t','b','o','null'].map(n => typeof botContext.getBotVariable(n)).join()"
    assert scene().logs(source, variables=variables) == "number,string,boolean,object,object"


def test_a_script_reads_what_it_has_set_with_its_type(scene: Scene) -> None:
    source = (
        "botContext.setBotVariable('d', new Date(5)); botContext.sendMessage(botContext.getBotVariable('d').getTime())"
    )
    assert scene().run(source).effects[1].text == "5"


def test_an_object_read_twice_is_the_same_object(scene: Scene) -> None:
    source = "botContext.getBotVariable('o') === botContext.getBotVariable('o')"
    assert scene().logs(source, variables={"o": {}}) == "true"


def test_an_object_changed_in_place_is_kept_in_the_scope_it_came_from(scene: Scene) -> None:
    outcome = scene().run(
        "botContext.getBotVariable('o').a.push(2); botContext.getBotVariable('p').x = 1; botContext.getBotVariable('q');",
        variables={"o": {"a": [1]}, "p": {}, "q": {"1": 0, "b": 1.0}},
        scopes={"o": "session"},
    )
    assert outcome.effects == [SetVariable("o", {"a": [1, 2]}, "session"), SetVariable("p", {"x": 1}, "request")]


def test_an_object_changed_after_it_was_set_is_set_again(scene: Scene) -> None:
    outcome = scene().run("var o = {}; botContext.setBotVariable('o', o, true); o.late = 1")
    assert outcome.effects == [SetVariable("o", {}, "session"), SetVariable("o", {"late": 1}, "session")]


def test_an_object_that_became_circular_is_left_as_it_was(scene: Scene) -> None:
    outcome = scene().run("var o = botContext.getBotVariable('o'); o.o = o", variables={"o": {}})
    assert outcome.effects == [Warn("refused", "the changed object in variable o cannot be kept")]


def test_a_circular_value_is_an_exception_of_the_script(scene: Scene) -> None:
    outcome = scene().run("var o = {}; o.o = o;\nbotContext.setBotVariable('o', o)")
    assert outcome.error is not None
    assert outcome.error.startswith("TypeError: circular")
    assert outcome.line == 2


def test_a_variable_over_the_limit_is_refused_as_an_exception_that_can_be_caught(scene: Scene) -> None:
    source = (
        "try { botContext.setBotVariable('big', '\u00e9'.repeat(140000)) } catch (e) { botContext.sendMessage(e.message) }"
        "botContext.setBotVariable('fits', '\u00e9'.repeat(100000))"
    )
    refused, said, fits = scene().run(source).effects
    assert refused == Warn("refused", "variable big is larger than the limit")
    assert said.text == "variable big is larger than the limit"
    assert fits.name == "fits"


def test_a_value_nested_too_deeply_is_refused_and_the_others_are_kept(scene: Scene) -> None:
    source = "var a = []; for (var i = 0; i < 900; i++) a = [a]; botContext.setBotVariable('a', a); botContext.sendMessage('on')"
    refused, said = scene().run(source).effects
    assert refused.code == "refused"
    assert said.text == "on"


def test_text_with_many_brackets_is_not_nested(scene: Scene) -> None:
    (effect,) = scene().run("botContext.setBotVariable('a', ['[{'.repeat(500), [[]]])").effects
    assert effect.value == ["[{" * 500, [[]]]


def test_integers_beyond_64_bits_become_numbers_that_can_be_stored(scene: Scene) -> None:
    (effect,) = scene().run("botContext.setBotVariable('a', [1e20, -1e19])").effects
    assert effect.value == [1e20, -1e19]
    assert all(type(value) is float for value in effect.value)
