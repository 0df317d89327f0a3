import pytest

from shared.scripting.syntax import Unparsable, known_names, parse_failure


@pytest.mark.parametrize(
    "source",
    [
        "",
        "var a = 1; // a comment at the end",
        "if (a) return; b();",
        "for each (var x in list) { sum += x; }",
        "throw new Error('never run')",
        "while (true) {}",
    ],
)
def test_what_the_engine_can_parse_has_no_failure_and_is_not_run(source: str) -> None:
    assert parse_failure(source) is None


@pytest.mark.parametrize(
    ("source", "line", "column"),
    [("var a = ;", 1, 9), ("var a;\n  foo bar;", 2, 7), ("a();\nvar class = 1;", 2, 5), ("var page = <a/>;", 1, 12)],
)
def test_a_failure_has_the_place_in_the_authors_script(source: str, line: int, column: int) -> None:
    failure = parse_failure(source)
    assert failure is not None
    assert (failure.line, failure.column) == (line, column)


def test_what_is_not_closed_is_missed_at_the_end_of_the_script() -> None:
    assert parse_failure("var a;\nfunction f() {") == Unparsable("it ends before everything opened is closed", 2, 15)


def test_a_script_that_breaks_out_of_its_panel_is_stopped_by_the_limit() -> None:
    failure = parse_failure("}); while (true); (function () {")
    assert failure is not None
    assert "interrupted" in failure.problem


@pytest.mark.parametrize("source", ["\ud800", "a\0b"])
def test_a_script_that_is_no_text_is_a_failure(source: str) -> None:
    assert parse_failure(source) is not None


def test_the_names_are_those_that_scripts_find() -> None:
    names = known_names()
    assert {"setBotVariable", "getContextDataForUser", "addQuickReples"} <= names.functions
    assert {"JSON", "parseInt", "Array"} <= names.builtins
    assert "fetch" not in names.builtins
