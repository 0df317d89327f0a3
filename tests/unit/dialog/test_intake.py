"""Which texts the bot handles: interruptions, debug commands, transfers that fail (CB: reference/dialogs.md 2.2, 2.8, 5.3)."""

from typing import Any

import pytest

from shared.dialog.effects import Reopen, Transfer
from shared.dialog.texts import ESCALATION_FAILED, NO_TRANSFER, NOT_UNDERSTOOD
from tests.unit.dialog.bots import Part, api, bot, dialog, go, interaction, question, starter, text
from tests.unit.dialog.talk import Talk


def dropping(**more: str) -> Talk:
    """Give a bot that drops messages while it is busy."""
    environment = {"system_handleIntermediateUserMessage": "true", **more}
    manifest = "[environment]\n" + "".join(f"{name} = '{value}'\n" for name, value in environment.items())
    made = dialog("D", starter("hi"), text("hello"))
    return Talk(bot(made, dialog("Shop", starter("shop"), question("size?"), text("end")), manifest=manifest))


def test_a_message_that_came_while_an_earlier_one_was_handled_is_dropped() -> None:
    talk = dropping()
    assert talk.say("hi") == ["hello"]
    assert talk.say("hi", busy=True) == []
    assert talk.warnings == ["dropped"]
    assert talk.say("hi") == ["hello"]


def test_without_the_setting_such_messages_are_handled_in_order() -> None:
    talk = Talk(bot(dialog("D", starter("hi"), text("hello"))))
    talk.say("hi")
    assert talk.say("hi", busy=True) == ["hello"]


def test_the_answer_to_a_question_that_waits_is_never_dropped() -> None:
    talk = dropping()
    talk.say("shop")
    assert talk.say("small", busy=True) == ["end"]


def test_a_message_is_handled_once_the_time_for_an_answer_is_over() -> None:
    talk = dropping()
    talk.say("hi")
    talk.at += 15_001
    assert talk.say("hi", busy=True) == ["hello"]
    talk = dropping(system_intermediateBotResponseTimeout="500")
    talk.say("hi")
    assert talk.say("hi", busy=True) == ["hello"]


def test_a_dropped_message_may_be_answered() -> None:
    talk = dropping(system_intermediateBotMessage="One at a time, please")
    talk.say("hi")
    assert talk.say("hi", busy=True) == ["One at a time, please"]
    silent = dropping(system_intermediateBotMessage="BLANK_MESSAGE")
    silent.say("hi")
    assert silent.say("hi", busy=True) == []


def test_a_dropped_message_leaves_variables_and_position_alone() -> None:
    talk = dropping()
    talk.say("hi")
    before = talk.turn.session
    talk.say("shop", busy=True)
    assert talk.turn.session == before


@pytest.mark.parametrize(
    ("setting", "heard"), [({}, []), ({"system_processWebviewIntermediateMessage": "true"}, ["hello"])]
)
def test_messages_of_forms_are_dropped_too_unless_the_manifest_lets_them_in(
    setting: dict[str, str], heard: list[str]
) -> None:
    talk = dropping(**setting)
    talk.say("hi")
    assert talk.post({"a": "1"}, "hi", busy=True) == heard
    assert talk.turn.session.web_view == {"a": "1"}


FUNCTIONS = "function __initConversation() { botContext.setBotVariable('began', 'yes', true); }"


def debugging(enabled: object = "true") -> Talk:
    keep = "botContext.setBotVariable('name', 'Ann', true); botContext.setBotVariable('old', '1', true, true)"
    tell = "botContext.sendMessage(['name', 'old', 'began'].map(function (n) { return botContext.getBotVariable(n); }).join())"
    made = dialog("D", starter("hi", pre=keep), question("q", "", go("q")))
    told = dialog("Tell", starter("tell"), text("t", "BLANK_MESSAGE", pre=tell))
    return Talk(bot(made, told, functions=FUNCTIONS, botAttributes={"ENABLE_DEBUG": enabled}))


@pytest.mark.parametrize("command", ["reset", "reset session", " Reset "])
def test_resetting_begins_a_new_session_and_keeps_what_is_kept_forever(command: str) -> None:
    talk = debugging()
    talk.say("hi")
    talk.post({"a": "1"})
    assert talk.say(command) == ["The session was reset."]
    assert talk.question is None
    assert talk.turn.session.web_view == {}
    assert talk.turn.session.session == {"began": "yes"}
    assert talk.say("tell") == [",1,yes"]


@pytest.mark.parametrize("command", ["display userid", "/d"])
def test_the_id_of_the_consumer_can_be_shown(command: str) -> None:
    talk = debugging()
    talk.say("hi")
    assert talk.say(command) == ["consumer-1"]
    assert talk.question == "q"


@pytest.mark.parametrize("enabled", ["false", None])
def test_without_debugging_commands_are_texts_like_others(enabled: object) -> None:
    talk = debugging(enabled)
    assert talk.say("reset") == [NOT_UNDERSTOOD]
    assert talk.say("/d") == [NOT_UNDERSTOOD]


def escalation(skill: object = 77, *rules: Part, **more: Any) -> Part:
    return interaction("ESCALATION", "e", {"text": "One moment", "escalation": {"agentSkillId": skill}}, rules, **more)


@pytest.mark.parametrize(
    ("error", "said"), [({}, NO_TRANSFER), ({"defaultErrorMessage": "Nobody there"}, "Nobody there")]
)
def test_the_fourth_transfer_that_fails_is_said_and_not_handed_to_the_bot(error: dict[str, str], said: str) -> None:
    again = dialog("Again", starter(ESCALATION_FAILED), text("again"), escalation())
    talk = Talk(bot(again, dialog("D", starter("human"), text("ok", then="e")), **error))
    talk.say("human")
    for _ in range(3):
        assert talk.say(ESCALATION_FAILED) == ["again"]
        assert isinstance(talk.turn.effects[-1], Transfer)
    assert talk.say(ESCALATION_FAILED) == [said]
    assert isinstance(talk.turn.effects[0], Reopen)
    assert talk.conversation.status == "open"


@pytest.mark.parametrize("skill", ["{$botContext.none}", "sales", "{$userMessage}"])
def test_a_skill_that_is_no_number_is_no_transfer(skill: str) -> None:
    talk = Talk(bot(dialog("D", starter("human"), escalation(skill), text("never"))))
    assert talk.say("human") == [NOT_UNDERSTOOD]
    assert talk.warnings[-1] == "bad-skill"
    assert talk.conversation.status == "open"


def test_a_failure_rule_handles_a_transfer_that_is_refused() -> None:
    rules = (go("sorry", when=api("FAILURE")), go("none"))
    talk = Talk(bot(dialog("D", starter("human"), escalation("sales", *rules), text("never"), text("sorry"))))
    assert talk.say("human") == ["sorry"]


def test_a_transfer_without_a_skill_goes_to_whoever_takes_it() -> None:
    made = interaction("ESCALATION", "e", {"text": "One moment"})
    talk = Talk(bot(dialog("D", starter("human"), made)))
    talk.say("human")
    assert talk.turn.effects == [Transfer("One moment")]


def test_jumps_into_a_disabled_dialog_take_the_next_action() -> None:
    off = dialog("Off", text("off"), status="DISABLED")
    by_rule = dialog("A", starter("a"), question("q", "", go("off")), text("next"))
    by_code = dialog("B", starter("b"), text("t", pre="botContext.setTriggerNextMessage('off')"), text("then"))
    talk = Talk(bot(off, by_rule, by_code))
    talk.say("a")
    assert talk.say("x") == ["next"]
    assert talk.warnings == ["unknown-interaction"]
    assert talk.say("b") == ["t", "then"]
    assert talk.warnings == ["unknown-interaction"]
