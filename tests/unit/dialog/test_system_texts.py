"""Texts that are commands, wherever they come from (CB: reference/dialogs.md 2.7, reference/scripting.md 1.7)."""

import pytest

from shared.dialog.effects import Close, StartCall
from tests.unit.dialog.bots import (
    bot,
    call,
    dialog,
    fallback,
    go,
    integration,
    interaction,
    no_match,
    question,
    says,
    starter,
    text,
)
from tests.unit.dialog.talk import Talk

COMMANDS = pytest.mark.parametrize(("command", "survey"), [("LP_CLOSEDIALOG", True), ("LP_CLOSECONVERSATION", False)])


@COMMANDS
def test_a_text_that_renders_to_a_system_text_closes_the_conversation(command: str, survey: bool) -> None:
    keep = f"botContext.setBotVariable('how', '{command}')"
    talk = Talk(bot(dialog("D", starter("hi", pre=keep), text("bye"), text("t", "{$botContext.how}"), text("never"))))
    assert talk.say("hi") == ["bye"]
    assert talk.turn.effects[-1] == Close(survey)
    assert talk.turn.session.position.stack == []
    assert talk.conversation.status == "closed"


@COMMANDS
@pytest.mark.parametrize("panel", ["pre", "post", "response"])
def test_a_script_closes_the_conversation_by_saying_it(command: str, survey: bool, panel: str) -> None:
    script = f"botContext.sendMessage('bye'); botContext.sendMessage('{command}'); botContext.sendMessage('never')"
    asked = question("q", **{panel: script})
    talk = Talk(bot(dialog("D", starter("hi"), asked, text("never"))))
    talk.say("hi")
    if panel == "response":
        talk.say("x")
    assert [text for text in talk.texts if text != "q"] == ["bye"]
    assert talk.turn.effects[-1] == Close(survey)
    assert talk.question is None


def test_an_immediate_reply_closes_the_conversation_too() -> None:
    script = "botContext.sendImmediateReply(['bye', 'LP_CLOSECONVERSATION'])"
    talk = Talk(bot(dialog("D", starter("hi"), text("never", pre=script), text("never either"))))
    assert talk.say("hi") == ["bye"]
    assert talk.turn.effects[-1] == Close(survey=False)


def test_a_part_of_a_split_text_closes_the_conversation() -> None:
    talk = Talk(bot(dialog("D", starter("hi"), text("t", "bye tag::breakWithDelay=500 LP_CLOSEDIALOG"), text("never"))))
    assert talk.say("hi") == ["bye"]
    assert talk.turn.effects[-1] == Close(survey=True)


def test_fallback_texts_and_messages_of_rules_close_the_conversation() -> None:
    rules = (go("next", when=says("yes")),)
    own = dialog("D", starter("hi"), question("q", "", *rules, own_fallback="LP_CLOSEDIALOG"))
    ruled = dialog("D", starter("hi"), question("q", "", go("q", when=no_match("LP_CLOSEDIALOG"))))
    for made in (
        bot(own),
        bot(ruled),
        bot(fallback(text("f", "LP_CLOSEDIALOG")), dialog("D", starter("hi"), question("q", "", *rules))),
    ):
        talk = Talk(made)
        talk.say("hi")
        assert talk.say("what?") == []
        assert talk.turn.effects[-1] == Close(survey=True)
        assert talk.question is None


def test_no_call_is_made_after_the_conversation_was_closed() -> None:
    closing = "botContext.sendMessage('LP_CLOSECONVERSATION')"
    made = dialog("D", starter("hi"), call("c", "Store", pre=closing), text("never"))
    talk = Talk(bot(made, integrations=(integration("Store"),)))
    assert talk.say("hi") == []
    assert not [effect for effect in talk.turn.effects if isinstance(effect, StartCall)]


def test_a_call_may_close_the_conversation_when_it_has_answered() -> None:
    made = dialog(
        "D", starter("hi"), call("c", "Store", post="botContext.sendMessage('LP_CLOSECONVERSATION')"), text("never")
    )
    talk = Talk(bot(made, integrations=(integration("Store"),)))
    talk.say("hi")
    assert talk.answer(200, {}) == []
    assert talk.turn.effects[-1] == Close(survey=False)


def test_a_session_may_begin_by_closing_its_conversation() -> None:
    functions = "function __initConversation() { botContext.sendMessage('LP_CLOSECONVERSATION'); }"
    talk = Talk(bot(dialog("D", starter("hi"), text("never")), functions=functions))
    assert talk.say("hi") == []
    assert talk.turn.effects == [Close(survey=False)]
    assert talk.turn.session.position.stack == []


@pytest.mark.parametrize("silent", ["BLANK_MESSAGE", "LP_REMOVEBOT", 'SET_USER_PROFILE | {"firstName":"Ann"}'])
def test_commands_to_the_channel_are_shown_nowhere(silent: str) -> None:
    keep = f"botContext.setBotVariable('it', '{silent}')"
    replies = interaction("QUICK_REPLY", "q", {"text": silent}, quickReplies=[{"title": "A"}])
    made = dialog("D", starter("hi", pre=keep), text("t", "{$botContext.it}"), text("then"), replies)
    assert Talk(bot(made)).say("hi") == ["then"]


def test_a_delay_of_a_tag_is_kept_in_what_a_script_says() -> None:
    talk = Talk(bot(dialog("D", starter("hi"), text("t", pre="botContext.sendMessage('a tag::breakWithDelay=700 b')"))))
    assert talk.say("hi") == ["a", "b", "t"]
    assert [reply.delay_ms for reply in talk.replies] == [0, 700, 0]
