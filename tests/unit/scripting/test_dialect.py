"""The language that scripts are written in, old and new (CB: reference/scripting.md 2 and 3.2)."""

from collections.abc import Callable
from typing import Any

import pytest

Scene = Callable[..., Any]


def texts(outcome: Any) -> list[str]:
    assert outcome.error is None, outcome.error
    return [effect.text for effect in outcome.effects]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("'a'.equals('a') + ',' + 'a'.equals('b') + ',' + 'a'.equals(null)", "true,false,false"),
        ("'Ab'.equalsIgnoreCase('aB')", "true"),
        ("''.isEmpty() + ',' + ' '.isEmpty() + ',' + ' '.isBlank()", "true,false,true"),
        ("'abc'.contains('bc')", "true"),
        ("'a1'.matches('[a-z]') + ',' + 'a1'.matches('[a-z]\\\\d')", "false,true"),
        ("'a.b.c'.replaceFirst('\\\\.', '-') + 'a.b.c'.replaceAll('\\\\.', '-')", "a-b.ca-b-c"),
        ("'a.b.c'.replaceAll(/b/g, 'x') + 'a(b'.replaceAll('(', '')", "a.x.cab"),
        ("'hello'.hashCode()", "99162322"),
        ("'a'.compareTo('b') + 'b'.compareToIgnoreCase('B')", "-1"),
        ("'abc'.toCharArray()[1]", "b"),
    ],
)
def test_strings_have_the_methods_of_java_that_scripts_name(scene: Scene, expression: str, value: str) -> None:
    assert scene().logs(expression) == value
    assert scene(f"function f() {{ return {expression} }}").logs("f()") == value


def test_methods_of_java_are_not_seen_where_no_script_names_them(scene: Scene) -> None:
    assert scene().logs("typeof ''.equals + Object.keys(String.prototype).length") == "undefined0"


def test_an_authors_own_method_goes_before_javas(scene: Scene) -> None:
    turn = scene("String.prototype.contains = function () { return 'mine' }")
    assert turn.logs("'a'.contains('a')") == "mine"


def test_length_is_a_property_of_strings_and_no_method(scene: Scene) -> None:
    outcome = scene().run("'abc'.length()")
    assert outcome.error is not None
    assert outcome.error.startswith("TypeError")


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("var T = Java.type('java.util.ArrayList')", "Java"),
        ("new java.util.HashMap()", "java"),
        ("Packages.java.lang.System.exit(1)", "Packages"),
        ("importPackage(java.util)", "importPackage"),
        ("new JavaImporter(1)", "JavaImporter"),
        ("load('https://example.com/a.js')", "load"),
    ],
)
def test_classes_of_java_are_an_error_that_names_them(scene: Scene, source: str, name: str) -> None:
    error = f"ReferenceError: {name} is not defined: scripts cannot use classes of Java here"
    assert scene().run(source).error == error
    assert scene().logs(f"typeof {name}") == "undefined"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("[1, 2,].length", "2"),
        ("({a: 1,}).a", "1"),
        ("010 + 0x10", "24"),
        ("'\\101'", "A"),
        ("escape('ä') + unescape('%E4')", "%E4ä"),
        ("'abc'.substr(-1)", "c"),
        ("new Date(0).getYear()", "70"),
        ("(function () { return typeof this.botContext })()", "object"),
        ("({class: 1, default: 2}).default", "2"),
        ("(function () { return arguments.callee.length })()", "0"),
    ],
)
def test_old_javascript_is_understood(scene: Scene, expression: str, value: str) -> None:
    assert scene().logs(expression) == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("(() => `a${1}`)()", "a1"),
        ("[1, 2].includes(2) + '' + [1, 2].find(x => x > 1)", "true2"),
        ("'a'.padStart(2, '-') + 'abc'.startsWith('ab')", "-atrue"),
        ("Object.entries({a: 1}).flat().join()", "a,1"),
        ("atob(btoa('a'))", "a"),
    ],
)
def test_newer_javascript_is_understood_too(scene: Scene, expression: str, value: str) -> None:
    assert scene().logs(expression) == value


def test_to_locale_string_shows_plain_numbers(scene: Scene) -> None:
    assert scene().logs("(1234.5).toLocaleString('de')") == "1234.5"


@pytest.mark.parametrize("name", ["window", "console", "fetch", "XMLHttpRequest"])
def test_what_browsers_have_is_not_there(scene: Scene, name: str) -> None:
    assert scene().logs(f"typeof {name}") == "undefined"


@pytest.mark.parametrize("name", ["JSON", "Date", "Math", "RegExp", "Object.keys", "Array.isArray", "[].filter"])
def test_the_language_itself_is_there(scene: Scene, name: str) -> None:
    assert scene().logs(f"typeof {name}") in {"object", "function"}


def test_functions_of_a_panel_exist_in_that_panel_only(scene: Scene) -> None:
    turn = scene()
    assert turn.logs("(function () { helper = 1; return 'on' })()") == "on"
    assert turn.logs("typeof helper") == "undefined"


def test_top_level_values_of_the_global_functions_are_seen_in_panels_and_are_no_memory(scene: Scene) -> None:
    turn = scene("var SETTINGS = {n: 1}; cb = {log: function (t) { botContext.sendMessage(t) }}")
    assert texts(turn.run("SETTINGS.n++; cb.log(SETTINGS.n)")) == ["2"]
    assert texts(turn.run("cb.log(SETTINGS.n)")) == ["1"]


def test_global_functions_are_seen_in_transform_scripts(scene: Scene) -> None:
    assert texts(scene("function f() { return 'in' }").run("botContext.sendMessage(f())", "transform")) == ["in"]


def test_two_thousand_lines_of_global_functions_are_parsed_once_a_turn(scene: Scene) -> None:
    lines = [f"function helper{n}(a) {{\n  var b = a + {n};\n  return b;\n}}" for n in range(500)]
    turn = scene("\n".join(lines))
    turn.run("")
    world = turn.scripts._world
    assert texts(turn.run("botContext.sendMessage(helper499(1))")) == ["500"]
    assert turn.scripts._world is world
    assert world.global_functions.count("\n") == 1999
