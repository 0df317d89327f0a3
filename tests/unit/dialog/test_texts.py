"""Long texts and texts with a meaning of their own (R16; CB: reference/dialogs.md 2.9)."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.dialog.texts import split
from tests.unit.dialog.bots import bot, dialog, go, no_match, question, says, starter, text
from tests.unit.dialog.talk import Talk

_WORDS = st.lists(st.text("abc", min_size=1, max_size=30) | st.just("x" * 1200), max_size=120)
_GAPS = st.sampled_from([" ", "\n", "  ", " \n "])


def _solid(content: str) -> str:
    return re.sub(r"\s+", "", content)


@settings(max_examples=150, deadline=None)
@given(_WORDS, _GAPS)
def test_a_long_text_is_cut_at_blanks_and_nothing_is_lost(words: list[str], gap: str) -> None:
    content = gap.join(words)
    parts = [part for part, _ in split(content, whole=False)]
    assert all(0 < len(part) <= 1000 for part in parts)
    assert _solid("".join(parts)) == _solid(content)
    if all(len(word) <= 1000 for word in words):
        assert [word for part in parts for word in part.split()] == words


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=3000))
def test_no_character_is_lost_in_any_text(content: str) -> None:
    parts = [part for part, _ in split(content, whole=False)]
    assert all(len(part) <= 1000 for part in parts)
    assert _solid("".join(parts)) == _solid(content)


@settings(deadline=None)
@given(st.text(max_size=900))
def test_a_short_text_stays_as_it_is(content: str) -> None:
    expected = [(content, 0)] if content.strip() else []
    assert split(content, whole=False) == expected


def test_a_part_is_as_long_as_it_may_be() -> None:
    (first, _), (second, _) = split("word " * 300, whole=False)
    assert first == "word " * 199 + "word"
    assert second == "word " * 100


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("a tag::breakWithDelay=500 b", [("a", 0), ("b", 500)]),
        ("a tag::breakWithDelay=99999 b", [("a", 0), ("b", 10_000)]),
        ("tag::breakWithDelay=500 b", [("b", 500)]),
        ("a tag::breakWithDelay=500", [("a", 0)]),
        ("a tag::breakWithDelay=soon", [("a tag::breakWithDelay=soon", 0)]),
    ],
)
def test_a_tag_breaks_a_text_in_two_with_a_delay(content: str, parts: list[tuple[str, int]]) -> None:
    assert split(content, whole=False) == parts


def test_every_text_a_bot_says_is_split_unless_its_code_forbids_it() -> None:
    long = "word " * 300
    allow = "botContext.setAllowMaxTextResponse(true)"
    shown = text("t", long, pre="var t = ''; for (var i = 0; i < 300; i++) t += 'said '; botContext.sendMessage(t)")
    talk = Talk(bot(dialog("D", starter("hi"), shown, text("whole", long, pre=allow), text("still", long))))
    assert [len(one) > 1000 for one in talk.say("hi")] == [False, False, False, False, True, True]
    asked = question("q", "", go("q", when=no_match(long)), go("next", when=says("x")))
    talk = Talk(bot(dialog("D", starter("hi"), asked)))
    talk.say("hi")
    assert [len(one) for one in talk.say("what?")] == [999, 500, 1]


def test_only_the_last_part_of_a_split_question_asks() -> None:
    talk = Talk(bot(dialog("D", starter("hi"), question("q", "word " * 300))))
    talk.say("hi")
    assert [reply.asks for reply in talk.replies] == [False, True]
