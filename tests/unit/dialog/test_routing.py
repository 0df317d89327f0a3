"""Where a consumer's message goes: the question that waits, a starter, the fallback (R1, R6, R7, R15)."""

import pytest

from shared.dialog.texts import NOT_UNDERSTOOD
from tests.unit.dialog.bots import bot, dialog, fallback, finds, go, question, says, starter, text
from tests.unit.dialog.talk import Talk


def test_a_starter_runs_its_dialog_to_the_first_question() -> None:
    talk = Talk(bot(dialog("Welcome", starter("hi"), text("hello"), question("name?"), text("bye"))))
    assert talk.say("hi") == ["hello", "name?"]
    assert talk.question == "name?"
    assert talk.say("Ann") == ["bye"]
    assert talk.question is None


def test_only_the_last_message_of_a_question_asks() -> None:
    talk = Talk(bot(dialog("Welcome", starter("hi"), text("hello"), question("name?"))))
    talk.say("hi")
    assert [reply.asks for reply in talk.replies] == [False, True]


def test_starters_are_tried_in_the_order_of_the_dialogs_then_of_their_patterns() -> None:
    talk = Talk(bot(dialog("Second", starter("*order*"), text("second")), dialog("First", starter("order"), text("x"))))
    assert talk.say("order") == ["second"]
    assert talk.lines("starter")[0].note == "dialog Second, by the pattern *order*"


def test_an_excluded_keyword_vetoes_a_starter() -> None:
    one = dialog("One", starter("*order*", exclude=("cancel",)), text("one"))
    talk = Talk(bot(one, dialog("Two", starter("*order*", name="two"), text("two!"))))
    assert talk.say("I order shoes") == ["one"]
    assert talk.say("please CANCEL my order") == ["two!"]


def test_disabled_dialogs_and_disabled_starters_are_not_matched() -> None:
    off = dialog("Off", starter("hi", name="a"), text("off"), status="DISABLED")
    silent = dialog("Silent", starter("hi", name="b", status="INACTIVE"), text("silent"))
    talk = Talk(bot(off, silent, dialog("On", starter("hi", name="c"), text("on"))))
    assert talk.say("hi") == ["on"]


def test_without_starter_and_fallback_the_built_in_text_is_sent() -> None:
    assert Talk(bot(dialog("Welcome", starter("hi"), text("hello")))).say("what?") == [NOT_UNDERSTOOD]


def test_what_nothing_matches_goes_to_the_fallback_dialog() -> None:
    talk = Talk(
        bot(dialog("Welcome", starter("hi"), text("hello")), fallback(text("sorry", "You said {$userMessage}")))
    )
    assert talk.say("what?") == ["You said what?"]


def test_a_disabled_fallback_dialog_counts_as_none() -> None:
    off = dialog("Fallback", text("sorry"), kind="FALLBACK_DIALOG", status="DISABLED")
    assert Talk(bot(dialog("Welcome", starter("hi"), text("hello")), off)).say("what?") == [NOT_UNDERSTOOD]


def test_a_bot_without_any_starter_answers_everything_from_its_fallback_dialog() -> None:
    talk = Talk(
        bot(
            fallback(text("route", "BLANK_MESSAGE", pre="botContext.setTriggerNextMessage('dm')")),
            dialog("DM", text("dm")),
        )
    )
    assert talk.say("anything") == ["dm"]
    assert talk.say("again") == ["dm"]


def test_the_pending_question_comes_before_the_starters() -> None:
    asked = question("more?", "", go("yes", when=says("hi*")), go("no", when=says("no")))
    talk = Talk(bot(dialog("Welcome", starter("*"), asked, text("yes", then="none"), text("no"))))
    talk.say("hi")
    assert talk.say("hi there") == ["yes"]


def test_a_default_rule_swallows_what_a_starter_would_have_matched() -> None:
    talk = Talk(
        bot(
            dialog("Welcome", starter("hi"), question("name?"), text("bye")),
            dialog("Help", starter("help"), text("helping")),
        )
    )
    talk.say("hi")
    assert talk.say("help") == ["bye"]


def test_a_starter_interrupts_a_question_that_does_not_match_and_the_question_returns() -> None:
    asked = question("size?", "", go("thanks", when=says("small", "large")))
    talk = Talk(
        bot(dialog("Shop", starter("shop"), asked, text("thanks")), dialog("Help", starter("help"), text("helping")))
    )
    talk.say("shop")
    assert talk.say("help") == ["helping", "size?"]
    assert talk.question == "size?"
    assert talk.lines("return")[0].interaction == "size?"
    assert talk.say("small") == ["thanks"]


def test_the_scripts_of_a_question_run_again_when_it_returns() -> None:
    count = "botContext.setBotVariable('n', (botContext.getBotVariable('n') || 0) * 1 + 1, true)"
    asked = question("q", "asked {$botContext.n}", go("thanks", when=says("yes")), pre=count)
    talk = Talk(
        bot(dialog("Shop", starter("shop"), asked, text("thanks")), dialog("Help", starter("help"), text("helping")))
    )
    assert talk.say("shop") == ["asked 1"]
    assert talk.say("help") == ["helping", "asked 2"]


def test_skip_previous_dialog_turns_the_return_off() -> None:
    asked = question("size?", "", go("thanks", when=says("small")))
    skip = "botContext.setBotVariable('skipPreviousDialog', 'true', true)"
    helping = dialog("Help", starter("help", pre=skip), text("helping"))
    talk = Talk(bot(dialog("Shop", starter("shop"), asked, text("thanks")), helping))
    talk.say("shop")
    assert talk.say("help") == ["helping"]
    assert talk.question is None
    assert talk.say("small") == [NOT_UNDERSTOOD]


def test_the_own_fallback_text_of_a_question_comes_before_the_fallback_dialog() -> None:
    asked = question("size?", "", go("thanks", when=says("small")), own_fallback="Not a size: {$userMessage}")
    talk = Talk(bot(dialog("Shop", starter("shop"), asked, text("thanks")), fallback(text("sorry"))))
    talk.say("shop")
    assert talk.say("blue") == ["Not a size: blue", "size?"]


def test_a_silent_own_fallback_text_only_asks_again() -> None:
    asked = question("size?", "", go("thanks", when=says("small")), own_fallback="BLANK_MESSAGE")
    talk = Talk(bot(dialog("Shop", starter("shop"), asked, text("thanks"))))
    talk.say("shop")
    assert talk.say("blue") == ["size?"]


def test_the_built_in_text_is_followed_by_the_question() -> None:
    asked = question("size?", "", go("thanks", when=says("small")))
    talk = Talk(bot(dialog("Shop", starter("shop"), asked, text("thanks"))))
    talk.say("shop")
    assert talk.say("blue") == [NOT_UNDERSTOOD, "size?"]
    assert talk.say("small") == ["thanks"]


def test_the_fallback_dialog_returns_to_the_question() -> None:
    asked = question("size?", "", go("thanks", when=says("small")))
    talk = Talk(bot(dialog("Shop", starter("shop"), asked, text("thanks")), fallback(text("sorry"))))
    talk.say("shop")
    assert talk.say("blue") == ["sorry", "size?"]
    assert talk.say("green") == ["sorry", "size?"]
    assert len(talk.turn.session.position.stack) == 1


def test_a_no_match_rule_keeps_the_starters_away_and_says_its_message() -> None:
    asked = question(
        "size?",
        "",
        go("size?", when={"matchType": "NO_MATCH", "noMatch": {"fallbackMessage": "Hm."}}),
        go("thanks", when=says("small")),
    )
    talk = Talk(
        bot(dialog("Shop", starter("shop"), asked, text("thanks")), dialog("Help", starter("help"), text("helping")))
    )
    talk.say("shop")
    assert talk.say("help") == ["Hm.", "size?"]
    assert talk.say("small") == ["thanks"]


def test_after_none_the_next_message_goes_to_the_starters() -> None:
    asked = question("size?", "", go("stop", when=says("stop")), go("size?", when=finds(".")))
    talk = Talk(bot(dialog("Shop", starter("shop"), asked), dialog("Stop", text("stop", then="none"))))
    talk.say("shop")
    assert talk.say("stop") == ["stop"]
    assert talk.turn.session.position.stack == []
    assert talk.say("small") == [NOT_UNDERSTOOD]


def test_a_dialog_that_is_entered_again_moves_to_the_top_of_the_stack() -> None:
    shop = dialog("Shop", starter("shop"), question("size?", "", go("thanks", when=says("small"))), text("thanks"))
    care = dialog("Care", starter("care"), question("what?", "", go("fine", when=says("ok"))), text("fine"))
    talk = Talk(bot(shop, care))
    talk.say("shop")
    talk.say("care")
    assert talk.say("shop") == ["size?"]
    assert talk.say("small") == ["thanks", "what?"]
    assert talk.say("ok") == ["fine"]


def test_a_tap_on_a_control_of_an_earlier_question_is_dropped_and_traced() -> None:
    first = question("first", "", go("second", when=says("a")))
    talk = Talk(bot(dialog("Shop", starter("shop"), first, question("second", "", go("end")), text("end"))))
    talk.say("shop")
    tapped_at = talk.sequence + 1
    assert talk.say("a") == ["second"]
    assert talk.say("a", payload="a", sequence=tapped_at) == []
    assert talk.warnings == ["stale-control"]
    assert talk.question == "second"
    assert talk.say("a", payload="a") == ["end"]


def test_typed_text_is_never_taken_for_a_stale_tap() -> None:
    talk = Talk(bot(dialog("Shop", starter("shop"), question("first"), question("second"), text("end"))))
    talk.say("shop")
    talk.say("a")
    assert talk.say("a", sequence=talk.conversation.asked - 1) == ["end"]


@pytest.mark.parametrize(("value", "heard", "warned"), [("true", [], ["dropped"]), ("false", ["end"], [])])
def test_messages_during_a_turn_are_dropped_if_the_manifest_restores_that(
    value: str, heard: list[str], warned: list[str]
) -> None:
    manifest = f"[environment]\nsystem_handleIntermediateUserMessage = '{value}'"
    talk = Talk(bot(dialog("Shop", starter("shop"), question("size?"), text("end")), manifest=manifest))
    talk.say("shop")
    assert talk.say("hello?", sequence=talk.conversation.asked - 1) == heard
    assert talk.warnings == warned


def test_the_payload_of_a_control_is_what_the_consumer_said() -> None:
    talk = Talk(bot(dialog("Shop", starter("order_7"), text("said", "{$userMessage}"))))
    assert talk.say("Order seven", payload="order_7") == ["order_7"]
