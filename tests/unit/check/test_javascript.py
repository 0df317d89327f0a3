"""The words of a script."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.check.javascript import words
from services.check.panels import Panel


def values(source: str, kind: str = "name") -> list[str]:
    return [word.value for word in words(source) if word.kind == kind]


@pytest.mark.parametrize(
    "source",
    [
        "a; // botContext.x()",
        "a; /* botContext.x()\n botContext */",
        "a; 'botContext'",
        'a; "it\\"s botContext"',
        "a; `botContext`",
        "a = /botContext\\/[/]'/g",
        "a; 'botContext\\\nbotContext'",
    ],
)
def test_strings_comments_and_regular_expressions_hold_no_names(source: str) -> None:
    assert values(source) == ["a"]


def test_a_slash_after_a_value_divides() -> None:
    assert values("a / b / c; (a) / d; e[0] / f / g") == ["a", "b", "c", "a", "d", "e", "f", "g"]


def test_a_slash_after_return_begins_a_regular_expression() -> None:
    assert values("return /x'/.test(a)", "regex") == ["/x'/"]


def test_code_within_templates_is_code() -> None:
    assert values("`a ${b + {c: `d ${e}`}.c} f` + g") == ["b", "c", "e", "c", "g"]


def test_texts_are_decoded() -> None:
    assert values(r"""'a\'b' + "c\u0041\x42\u{43}\n" + '\ud83d\ude00' + `d`""", "text") == ["a'b", "cABC\n", "😀", "d"]


def test_a_template_with_code_is_no_text() -> None:
    assert values("`Welcome ${name}`", "text") == []


def test_words_know_their_line_and_column() -> None:
    assert [word.at for word in words("a\n  b /* \n */ c")] == [(1, 1), (2, 3), (3, 5)]


@given(st.text(alphabet="ab'\"`/\\${}()[].,;\n *=é0"))
def test_every_text_has_words_that_stand_where_they_say(source: str) -> None:
    lines = source.split("\n")
    for word in words(source):
        line, column = word.at
        if word.kind in {"name", "mark", "number", "regex"}:
            assert lines[line - 1][column - 1 :].startswith(word.value.split("\n")[0])
    panel = Panel("p", source)
    assert panel.uses == ()
    assert set(panel.declared) | set(panel.others) <= set(values(source))
    assert all(word.kind == "name" for word in panel.calls)


@pytest.mark.parametrize(
    ("source", "name", "literal"),
    [
        ("botContext.sendMessage('a')", "sendMessage", "a"),
        ("botContext['sendMessage'](\"a\", b)", "sendMessage", "a"),
        ("botContext . sendMessage ( `a` )", "sendMessage", "a"),
        ("var b = botContext; b.sendMessage('a')", "sendMessage", "a"),
        ("botContext.sendMessage('a' + b)", "sendMessage", None),
        ("botContext.sendMessage(f(1, 2), 'a')", "sendMessage", None),
        ("botContext.chatBotId", "chatBotId", None),
    ],
)
def test_uses_of_bot_context_are_read_with_their_first_argument(source: str, name: str, literal: str | None) -> None:
    (use,) = Panel("p", source).uses
    assert (use.name, use.literal) == (name, literal)


def test_texts_of_a_first_argument_that_is_put_together_are_kept() -> None:
    (use,) = Panel("p", "botContext.setTriggerNextMessage(a ? 'x' : f(['y'], 'z'), 'no')").uses
    assert use.texts == ("x", "y", "z")


@pytest.mark.parametrize("source", ["other.botContext.x()", "'botContext.x()'", "botContext", "f(botContext)"])
def test_what_is_no_use_of_bot_context_is_none(source: str) -> None:
    assert Panel("p", source).uses == ()


def test_calls_are_those_of_plain_functions() -> None:
    source = "f(1); o.g(2); function h(a) {} if (x) k(l(3)); new M(4); var n = {p(q) { return 5; }}; typeof r(6)"
    assert [word.value for word in Panel("p", source).calls] == ["f", "k", "l", "M", "r"]
