import time

from services.cli.narrator import details, sentences
from shared.dialog.trace import TraceLine, TurnTrace

CONVERSATION = "0-2ad502d0c0ffee"


def told(*lines: TraceLine) -> list[str]:
    return sentences(CONVERSATION, TurnTrace(turn=7, at=0, event="message", version="v", ms=1.6, lines=list(lines)))


def test_a_turn_is_one_line_with_the_way_it_took() -> None:
    midnight = time.strftime("%H:%M:%S", time.localtime(0))
    assert told(
        TraceLine("interaction", "welcome"),
        TraceLine("reply"),
        TraceLine("interaction", "ask_number"),
        TraceLine("reply"),
    ) == [f"{midnight}  0-2ad502    7  message · welcome → ask_number · 2 replies · 2 ms"]


def test_a_call_and_a_single_reply_are_told() -> None:
    (line,) = told(TraceLine("call", "get_order"), TraceLine("reply"))
    assert line.endswith("message · calls get_order · 1 reply · 2 ms")


def test_what_becomes_of_the_conversation_is_told() -> None:
    (line,) = told(TraceLine("interaction", "bye"), TraceLine("close", "bye", "with a survey"))
    assert line.endswith("message · bye · closed · 2 ms")
    (line,) = told(TraceLine("kept", note="the conversation is transferred: the message is kept, not routed"))
    assert line.endswith("message · kept, people have the conversation · 2 ms")


def test_each_warning_has_a_line_of_its_own() -> None:
    lines = told(TraceLine("script-failed", "welcome", "line 3", level="warning"))
    assert lines[1:] == ["          ! script-failed welcome: line 3"]


def test_a_call_is_told_by_its_status_and_one_that_failed_by_its_reason() -> None:
    (line,) = told(TraceLine("outcome", "get_order", facts={"status": 404, "success": False}))
    assert line.endswith("message 404 · 2 ms")
    head, why = told(
        TraceLine("outcome", "get_order", "unreachable: no such host", facts={"status": 0, "success": False})
    )
    assert head.endswith("message unreachable · 2 ms")
    assert why == "          ! outcome get_order: unreachable: no such host"


def test_details_have_every_line_with_facts_and_values() -> None:
    lines = [
        TraceLine("script", "welcome", "Pre-Process Code", facts={"method": "GET", "whole": True}),
        TraceLine("script-failed", "welcome", level="warning", values={"error": "TypeError: \x1b"}),
    ]
    assert list(details(TurnTrace(turn=7, at=0, event="message", version="v", lines=lines))) == [
        "          · script welcome; Pre-Process Code; method GET, whole true",
        "          ! script-failed welcome",
        '              error: "TypeError: \\u001b"',
    ]


def test_what_was_said_is_never_told() -> None:
    secret = "a very private hello"
    lines = told(
        TraceLine("reply", values={"text": secret}), TraceLine("log", values={"text": secret}, level="warning")
    )
    assert secret not in "\n".join(lines)


def test_a_name_that_would_steer_the_terminal_is_shown() -> None:
    (line,) = told(TraceLine("interaction", "wel\x1b]0;owned\x07come\n"), TraceLine("interaction", "grüße\u202e"))
    assert line.endswith("message · wel\\x1b]0;owned\\x07come\\n → grüße\\u202e · 2 ms")
