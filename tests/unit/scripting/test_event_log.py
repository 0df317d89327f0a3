"""What a script leaves for the bot's developers (CB: reference/scripting.md 1.11)."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.dialog.scripts import CustomEvent, Log, Warn

Scene = Callable[..., Any]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("'a'", "a"),
        ("1.50", "1.5"),
        ("[1, 2]", "1,2"),
        ("{a: 1}", '{"a":1}'),
        ("null", "null"),
        ("", "undefined"),
        ("Object.create({toString: function () { return 'mine' }})", "mine"),
    ],
)
def test_print_debug_message_shows_any_value(scene: Scene, value: str, shown: str) -> None:
    assert scene().run(f"botContext.printDebugMessage({value})").effects == [Log(shown)]


def test_print_goes_to_the_same_log(scene: Scene) -> None:
    assert scene().run("print('a', 1)").effects == [Log("a 1")]
    assert scene("function print(t) { botContext.sendMessage(t) }").run("print('a')").effects[0].text == "a"
    assert scene().run("print = function () {}; print('a')").effects == []


def test_log_custom_event_has_a_message_a_name_and_a_detail(scene: Scene) -> None:
    assert scene().run("botContext.logCustomEvent('m', 'n', 5)").effects == [CustomEvent("m", "n", "5")]


def test_log_custom_event_needs_no_detail(scene: Scene) -> None:
    assert scene().run("botContext.logCustomEvent(null, 'n')").effects == [CustomEvent("", "n", "")]


def test_log_custom_event_without_a_name_is_refused(scene: Scene) -> None:
    outcome = scene().run("botContext.logCustomEvent('m')")
    assert outcome.effects == [Warn("refused", "logCustomEvent needs the name of the event")]


def test_the_detail_of_a_custom_event_ends_after_32_000_characters(scene: Scene) -> None:
    fits, warning, cut = (
        scene()
        .run(
            "botContext.logCustomEvent('m', 'n', 'x'.repeat(32000)); botContext.logCustomEvent('m', 'n', 'x'.repeat(32001))"
        )
        .effects
    )
    assert len(fits.detail) == len(cut.detail) == 32_000
    assert warning == Warn("refused", "the detail of a custom event is cut to 32,000 characters")


def test_log_escalation_event_does_nothing(scene: Scene) -> None:
    assert scene().run("botContext.logEscalationEvent('m', 'LivePerson')").effects == []
