"""What no consumer should read, and what only looks like it."""

import pytest

from services.tester.rawness import raw_sign


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("Dear {$botContext.name}", "a template"),
        ("Dear {$.api_Orders.name}", "a template"),
        ("Dear {Orders.name}", "a template"),
        ("You have undefined points", "a value of JavaScript"),
        ("A) null", "a value of JavaScript"),
        ("It is [object Object].", "a value of JavaScript"),
        ("NaN euros", "a value of JavaScript"),
        ("TypeError: x is not a function", "an error of a script"),
        ("SyntaxError", "an error of a script"),
        ("Unexpected token < in JSON", "an error of a script"),
        ("java.lang.NullPointerException", "an error of a program"),
        ("<html><body>502", "markup"),
        ("<!DOCTYPE html>", "markup"),
        ('{"error": "x"}', "JSON"),
        ('It says {"a": 1}', "JSON"),
        ("[]", "JSON"),
        ('["a", "b"]', "JSON"),
    ],
)
def test_raw_text_is_told_apart_by_what_it_is(text: str, sign: str) -> None:
    assert raw_sign(text) == sign


@pytest.mark.parametrize(
    "text",
    [
        "An error occurred. Please try again.",
        "Type {yes} or [no]",
        "We are open {Mo-Fr: 9-17}",
        "5 < 6 and <b>bold</b>",
        "Nan's bread, and a nullified contract",
        "Your code is [A-7].",
        'Say "yes": it\'s free',
        "",
    ],
)
def test_words_of_people_are_not_raw(text: str) -> None:
    assert raw_sign(text) is None
