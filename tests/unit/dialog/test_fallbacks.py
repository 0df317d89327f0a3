"""What is not understood again and again: auto-escalation, and the end of a survey (CB: reference/dialogs.md 2.5)."""

from typing import Any

from shared.dialog.effects import Close
from shared.dialog.texts import NO_RESULT, NOT_UNDERSTOOD
from tests.unit.dialog.bots import (
    Part,
    bot,
    call,
    choices,
    chooses,
    dialog,
    fallback,
    go,
    integration,
    interaction,
    question,
    says,
    starter,
    text,
)
from tests.unit.dialog.talk import Talk

SHOP = dialog("Shop", starter("shop"), question("size?", "", go("thanks", when=says("small"))), text("thanks"))


def escalation(**more: Any) -> Part:
    rules = (go("next", when=chooses("Yes")), go("none", when=chooses("No")))
    ask = choices("agent?", "Talk to an agent?", "Yes", "No", rules=rules)
    hand_over = interaction("ESCALATION", "hand over", {"text": "One moment", "escalation": {"agentSkillId": "7"}})
    return dialog("Escalate", ask, hand_over, kind="AUTO_ESCALATION_DIALOG", **more)


def test_after_three_failures_at_a_question_the_next_one_starts_auto_escalation() -> None:
    talk = Talk(bot(SHOP, escalation()))
    talk.say("shop")
    for said in ("a", "b", "c"):
        assert talk.say(said) == [NOT_UNDERSTOOD, "size?"]
    assert talk.say("d") == ["<rich>"]
    assert talk.question == "agent?"
    assert talk.say("Yes") == []
    assert talk.conversation.status == "transferred"


def test_the_export_may_set_how_many_failures_are_too_many() -> None:
    talk = Talk(bot(SHOP, escalation(autoEscalationThreshold="1")))
    talk.say("shop")
    assert talk.say("a") == [NOT_UNDERSTOOD, "size?"]
    assert talk.say("b") == ["<rich>"]


def test_an_answer_that_is_understood_starts_the_count_again() -> None:
    rules = (go("size?", when=says("what?")), go("thanks", when=says("small")))
    talk = Talk(bot(dialog("Shop", starter("shop"), question("size?", "", *rules), text("thanks")), escalation()))
    talk.say("shop")
    for said in ("a", "b", "c", "what?", "d", "e", "f"):
        talk.say(said)
    assert talk.question == "size?"
    talk.say("g")
    assert talk.question == "agent?"


def test_failures_are_counted_for_each_question() -> None:
    other = dialog("Other", starter("other"), question("colour?", "", go("next", when=says("red"))), text("fine"))
    talk = Talk(bot(SHOP, other, escalation()))
    talk.say("shop")
    for said in ("a", "b", "c", "other", "d", "e", "f"):
        talk.say(said)
    assert talk.question == "colour?"


def test_failures_without_a_question_are_counted_too() -> None:
    talk = Talk(bot(SHOP, escalation()))
    assert [talk.say(said) for said in "abcd"][-1] == ["<rich>"]


def test_a_fallback_dialog_that_only_talks_counts_as_a_failure() -> None:
    talk = Talk(bot(SHOP, fallback(text("sorry")), escalation(autoEscalationThreshold=2)))
    talk.say("shop")
    assert talk.say("a") == ["sorry", "size?"]
    assert talk.say("b") == ["sorry", "size?"]
    assert talk.say("c") == ["<rich>"]


def test_a_fallback_dialog_that_helps_does_not_count() -> None:
    talk = Talk(bot(SHOP, fallback(question("help?", "", go("next"))), escalation(autoEscalationThreshold=1)))
    for said in ("a", "b", "c", "d"):
        talk.say(said)
    assert talk.question != "agent?"


def test_a_call_of_the_fallback_dialog_that_fails_counts() -> None:
    looking = fallback(call("c", "Search"), text("found"))
    talk = Talk(bot(SHOP, looking, escalation(autoEscalationThreshold=1), integrations=(integration("Search"),)))
    talk.say("shop")
    talk.say("a")
    assert talk.answer(200, {}) == ["found", "size?"]
    talk.say("b")
    assert talk.answer(500, {}) == [NO_RESULT, "found", "size?"]
    assert talk.say("c") == ["<rich>"]


def test_a_starter_comes_before_auto_escalation_and_starts_the_count_again() -> None:
    talk = Talk(bot(SHOP, dialog("Help", starter("help"), text("helping")), escalation(autoEscalationThreshold=1)))
    talk.say("a")
    assert talk.say("help") == ["helping"]
    assert talk.say("b") == [NOT_UNDERSTOOD]


def test_auto_escalation_does_not_escalate_itself() -> None:
    talk = Talk(bot(SHOP, escalation(autoEscalationThreshold=1)))
    talk.say("a")
    talk.say("b")
    for _ in range(3):
        assert talk.say("maybe") == [NOT_UNDERSTOOD, "<rich>"]
    assert talk.say("No") == []


def test_a_disabled_auto_escalation_dialog_counts_as_none() -> None:
    talk = Talk(bot(SHOP, escalation(autoEscalationThreshold=1, status="DISABLED")))
    assert [talk.say(said) for said in "abc"] == [[NOT_UNDERSTOOD]] * 3


def survey(**settings: Any) -> Talk:
    """Give a survey bot with one question."""
    ask = choices(
        "nps", "How likely?", "0", "10", rules=(go("next", when=chooses("10")),), own_fallback="0 or 10, please"
    )
    made = dialog("Survey", starter(name="s"), ask, text("thanks", then="close_conversation"), kind="SURVEY_DIALOG")
    return Talk(bot(made, chatBotType="POST_SURVEY_BOT", **settings))


def test_a_survey_bot_begins_with_its_survey_whatever_is_said() -> None:
    talk = survey()
    assert talk.say("anything") == ["<rich>"]
    assert talk.question == "nps"
    assert talk.say("10") == ["thanks"]
    assert talk.conversation.status == "closed"


def test_a_survey_ends_when_too_many_answers_are_not_understood() -> None:
    talk = survey(botAttributes={"PCS_FALLBACK_LIMIT": "2"}, fallbackLimitMessage="Never mind.")
    talk.say("anything")
    assert talk.say("five") == ["0 or 10, please", "<rich>"]
    assert talk.say("five") == ["0 or 10, please", "<rich>"]
    assert talk.say("five") == ["Never mind."]
    assert talk.turn.effects[-1] == Close(survey=False)


def test_other_bots_have_no_limit_of_a_survey() -> None:
    talk = Talk(bot(SHOP, botAttributes={"PCS_FALLBACK_LIMIT": "1"}))
    talk.say("shop")
    assert [talk.say(said) for said in "abc"] == [[NOT_UNDERSTOOD, "size?"]] * 3
