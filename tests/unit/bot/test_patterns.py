"""Patterns, held against a matcher that tries everything (CB: reference/dialogs.md 3.1)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.bot.patterns import compile_pattern


@pytest.mark.parametrize(
    ("pattern", "text", "matching"),
    [
        ("hello", "Hello", True),
        ("hello", " hello\n", True),
        ("hello", "hello!", False),
        ("hello", "hello there", False),
        ("(hi|hello|hey)*", "hi bob", True),
        ("(hi|hello|hey)*", "history", True),
        ("(hi|hello|hey)*", "oh hi", False),
        ("(hi|hello|hey) *", "hi bob", True),
        ("(hi|hello|hey) *", "hi", False),
        ("*back*", "feedback", True),
        ("*(don't|do not) agree*", "I do not agree at all", True),
        ("* (some|a pair of) (headphones|earbuds)*", "I want some headphones now", True),
        ("* (some|a pair of) (headphones|earbuds)*", "some headphones", False),
        ("(thank(|s)|thank you)*", "thanks a lot", True),
        ("*", "", True),
        ("", "", True),
        ("", "x", False),
        ("a.c", "abc", False),
        ("[x]+?", "[X]+?", True),
        ("a|b", "a|b", True),
        ("a)b(c", "a)B(c", True),
        ("((a|b)", "(b", True),
        ("straße", "STRASSE", True),
        ("a*\nb", "a x\nb", True),
    ],
)
def test_a_pattern_means_what_its_author_wrote(pattern: str, text: str, matching: bool) -> None:
    assert compile_pattern(pattern).matches(text) is matching


@settings(max_examples=400, deadline=None)
@given(st.text("ab(|)* ", max_size=10), st.text("ab ", max_size=14) | st.text("ab(|)* ", max_size=8))
def test_every_pattern_matches_what_trying_everything_would_match(pattern: str, text: str) -> None:
    expected = text.strip() in _words(pattern.strip(), text.strip())
    assert compile_pattern(pattern).matches(text) is expected


def test_no_text_stalls_a_pattern() -> None:
    pattern = compile_pattern("*a*a*a*a*a*a*a*a*a*(a*|b*|a*b*)*c")
    assert not pattern.matches("a" * 8000)


def test_brackets_that_stand_in_too_many_others_are_literal() -> None:
    assert compile_pattern("(" * 50 + "a" + ")" * 50).matches("a")
    assert compile_pattern("(" * 3000 + "a" + ")" * 3000).matches("(" * 2950 + "a" + ")" * 2950)


def _words(pattern: str, text: str) -> set[str]:
    """Give every part of `text` that the pattern stands for, by building them all."""
    parts = {text[start:end] for start in range(len(text) + 1) for end in range(start, len(text) + 1)}
    made = {""}
    at = 0
    while at < len(pattern):
        end = _partner(pattern, at)
        if pattern[at] == "*":
            follow = parts
        elif end is None:
            follow = {pattern[at]}
        else:
            follow = {word for one in _alternatives(pattern[at + 1 : end]) for word in _words(one, text)}
            at = end
        made = {word + more for word in made for more in follow if word + more in parts}
        at += 1
    return made


def _partner(pattern: str, at: int) -> int | None:
    if pattern[at] != "(":
        return None
    depth = 0
    for here in range(at, len(pattern)):
        depth += {"(": 1, ")": -1}.get(pattern[here], 0)
        if depth == 0:
            return here
    return None


def _alternatives(inside: str) -> list[str]:
    found, depth = [""], 0
    for at, character in enumerate(inside):
        if character == "|" and depth == 0:
            found.append("")
            continue
        if _partner(inside, at) is not None:
            depth += 1
        elif character == ")" and depth:
            depth -= 1
        found[-1] += character
    return found
