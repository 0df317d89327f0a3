"""Events other than a plain message: web views, transferred and closed conversations (R21; design section 6)."""

from typing import Any

import msgspec
import pytest

from shared.dialog.effects import Close, Reopen, Transfer
from shared.dialog.texts import ESCALATION_FAILED
from tests.unit.dialog.bots import Part, bot, dialog, equals, go, interaction, question, starter, text
from tests.unit.dialog.talk import Talk


def escalation(name: str, **more: str) -> Part:
    return interaction(
        "ESCALATION", name, {"text": "One moment", "escalation": {"agentSkillId": 77}}, (go("none"),), **more
    )


def test_web_view_variables_alone_do_not_open_a_message() -> None:
    asked = question("q", pre="botContext.setBotVariable('x', 1)")
    tell = "botContext.sendMessage(botContext.getWebViewVariable('a') + botContext.getWebViewVariable('none'))"
    talk = Talk(bot(dialog("D", starter("hi"), asked, text("end", pre=tell))))
    talk.say("hi")
    assert talk.post({"a": "1"}) == []
    assert talk.question == "q"
    assert talk.variable("x") == 1
    assert talk.say("on") == ["1null", "end"]


def test_web_view_variables_are_there_for_the_message_of_the_same_call() -> None:
    tell = "botContext.sendMessage(JSON.stringify(botContext.getWebViewVariables()))"
    talk = Talk(bot(dialog("D", starter("form_sent"), text("thanks", "{$userMessage}", pre=tell))))
    assert talk.post({"a": "1"}, "form_sent") == ['{"a":"1"}', "form_sent"]


def test_a_web_view_message_answers_a_question_that_waits_for_it() -> None:
    talk = Talk(bot(dialog("D", starter("hi"), question("q", "", go("next", when=equals("form_sent"))), text("end"))))
    talk.say("hi")
    assert talk.post({}, "form_sent") == ["end"]


def test_a_late_web_view_message_is_not_routed_and_its_variables_are_kept() -> None:
    tell = "botContext.sendMessage(botContext.getWebViewVariable('a'))"
    talk = Talk(bot(dialog("D", starter("form_sent"), text("thanks", pre=tell))))
    assert talk.post({"a": "1"}, "form_sent", late=True) == []
    assert talk.warnings == ["late"]
    assert talk.say("form_sent") == ["1", "thanks"]


def test_web_view_variables_end_with_the_session_and_later_calls_add_to_them() -> None:
    tell = "botContext.sendMessage(JSON.stringify(botContext.getWebViewVariables()))"
    talk = Talk(bot(dialog("D", starter("hi"), text("t", "BLANK_MESSAGE", pre=tell))))
    talk.post({"a": "1", "b": "1"})
    talk.post({"b": "2"})
    assert talk.say("hi") == ['{"a":"1","b":"2"}']
    talk.expire()
    assert talk.say("hi") == ["{}"]


def test_an_escalation_transfers_the_conversation_with_its_message_and_skill() -> None:
    talk = Talk(bot(dialog("D", starter("human"), text("ok"), escalation("e", delay="300"))))
    assert talk.say("human") == ["ok"]
    assert talk.turn.effects[-1] == Transfer("One moment", "77", None, 300)
    assert talk.turn.session.position.stack == []


def test_an_escalation_may_be_silent_and_its_skill_a_variable() -> None:
    tile = {"text": "BLANK_MESSAGE", "escalation": {"agentSkillId": "{$botContext.skill}", "agentId": "a.1"}}
    made = interaction("ESCALATION", "e", tile, pre="botContext.setBotVariable('skill', 5)")
    talk = Talk(bot(dialog("D", starter("human"), made)))
    talk.say("human")
    assert talk.turn.effects == [Transfer(None, "5", "a.1")]


def test_a_script_may_go_elsewhere_instead_of_escalating() -> None:
    talk = Talk(
        bot(dialog("D", starter("human"), escalation("e", pre="botContext.setTriggerNextMessage('bot')"), text("bot")))
    )
    assert talk.say("human") == ["bot"]
    assert not any(isinstance(effect, Transfer) for effect in talk.turn.effects)


def test_messages_of_a_transferred_conversation_are_kept_until_the_transfer_failed() -> None:
    back = dialog("Back", starter(ESCALATION_FAILED), text("back"))
    talk = Talk(bot(dialog("D", starter("human"), escalation("e")), back))
    talk.say("human")
    before = talk.turn.session
    assert talk.say("human") == []
    assert talk.lines("kept")
    assert talk.turn.session == before
    assert talk.post({"a": "1"}, "human") == []
    assert talk.turn.session == msgspec.structs.replace(before, web_view={"a": "1"})
    assert talk.say(ESCALATION_FAILED) == ["back"]
    assert isinstance(talk.turn.effects[0], Reopen)
    assert talk.say("human") == []
    assert isinstance(talk.turn.effects[-1], Transfer)


@pytest.mark.parametrize(("system_text", "survey"), [("LP_CLOSEDIALOG", True), (" LP_CLOSECONVERSATION ", False)])
def test_a_text_that_is_a_system_text_closes_the_conversation(system_text: str, survey: bool) -> None:
    script = "botContext.sendMessage('bye')"
    talk = Talk(bot(dialog("D", starter("hi"), text("close", system_text, pre=script), text("never"))))
    assert talk.say("hi") == ["bye"]
    assert talk.turn.effects[-1] == Close(survey)
    assert talk.say("hi") == []


@pytest.mark.parametrize("silent", ["BLANK_MESSAGE", "LP_REMOVEBOT", 'SET_USER_PROFILE | {"firstName":"Ann"}', "   "])
def test_commands_to_the_channel_are_not_shown(silent: str) -> None:
    script = f"botContext.sendMessage({msgspec.json.encode(silent).decode()})"
    talk = Talk(bot(dialog("D", starter("hi"), text("silent", silent, pre=script), text("then"))))
    assert talk.say("hi") == ["then"]


def test_identity_and_profile_are_at_hand_for_scripts() -> None:
    script = """
        botContext.sendMessage([botContext.getChatBotId(), botContext.getConversationId(), botContext.getUserPlatformId(),
            botContext.getUserChannel(), botContext.getLPAccountId(), botContext.getLPEngagementAttribute('campaignId'),
            botContext.getLPCustomerInfo().ctype, botContext.getLPUserPersonalInfo()].join(' '));
    """
    about: dict[str, Any] = {
        "channel": "lp_sms",
        "account_id": "acc",
        "engagement": {"campaignId": "c7"},
        "customer_info": {"ctype": "vip"},
    }
    talk = Talk(bot(dialog("D", starter("hi"), text("end", pre=script))), **about)
    assert talk.say("hi") == ["bot-1 0-c1 consumer-1 lp_sms acc c7 vip ", "end"]


def test_a_session_that_begins_while_people_talk_begins_in_silence() -> None:
    functions = "function __initConversation() { botContext.sendMessage('welcome'); }"
    talk = Talk(bot(dialog("D", starter("human"), escalation("e")), functions=functions))
    assert talk.say("human") == ["welcome"]
    talk.expire()
    assert talk.say("hello?") == []
