"""Regular expressions of authors: what cannot be compiled, or not in no time, is refused in words."""

import pytest

from shared.bot.expressions import BadExpression, compile_expression
from tests.unit.dialog.bots import bot, dialog, finds, go, question, starter


@pytest.mark.parametrize(
    "source",
    [
        "",
        "yes|no",
        r"^\d{3}-\d{4}$",
        r"[\w.+-]+@[\w-]+(\.[\w-]+)+",
        "(?i)a+b*c?d{2,5}e{3,}f{0,100000}",
        "[a-z&&[^aeiou]]{1,1000}",
        "(?x) a + # one or more\n b {2}",
        "a{x}",
        "(((a+)+)+)+",
        "|".join(f"word{at}" for at in range(2000)),
    ],
)
def test_what_authors_write_is_compiled(source: str) -> None:
    assert compile_expression(source).pattern == source


@pytest.mark.parametrize(
    "source",
    [
        "a{1000000}",
        "(ab|c){1000000}",
        "((a{1000}){1000}){1000}",
        "(" * 30 + "a" + "+)" * 30,
        "(" * 30 + "a" + ")+?" * 30,
        "(?x)" + "(" * 30 + "a" + " +)" * 30,
        "(?x)" + "(" * 30 + "a" + "# more\n+)" * 30,
        "[]a]{100000}",
        r"\({100000}",
        "a" * 60_000,
    ],
)
def test_what_grows_without_measure_is_refused_before_it_grows(source: str) -> None:
    with pytest.raises(BadExpression, match="written out it is too large"):
        compile_expression(source)


@pytest.mark.parametrize(
    "source", ["(", "a{2,1}", "*", "[", "\\", "(?:" * 2000 + ")" * 2000, "a{1," + "9" * 5000 + "}"]
)
def test_what_is_no_expression_is_refused_with_a_reason(source: str) -> None:
    with pytest.raises(BadExpression, match=r"."):
        compile_expression(source)


def test_a_rule_whose_expression_is_too_large_is_found_and_never_matches() -> None:
    made = bot(dialog("D", starter("hi"), question("q", "", go("next", when=finds("(" * 30 + "a" + "+)" * 30)))))
    assert [finding.code for finding in made.findings] == ["bad-regex"]
