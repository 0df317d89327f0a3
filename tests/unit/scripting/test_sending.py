"""What a script says (CB: reference/scripting.md 1.7)."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.dialog.scripts import AddQuickReplies, Say, SayPrivately, SetVariable, Stop, Warn

Scene = Callable[..., Any]

LONG = Warn("refused", "the title of a quick reply has more than 20 characters: channels may cut it")
MANY = Warn("refused", "a message has more than 10 quick replies: the others are not shown")


def test_send_message_adds_one_message_and_goes_on(scene: Scene) -> None:
    assert scene().run("botContext.sendMessage('a'); botContext.sendMessage(1)").effects == [Say("a"), Say("1")]


@pytest.mark.parametrize(("given", "texts"), [("['a', 'b']", ["a", "b"]), ("'a'", ["a"]), ("null", []), ("[]", [])])
def test_send_messages_adds_one_message_an_element(scene: Scene, given: str, texts: list[str]) -> None:
    assert scene().run(f"botContext.sendMessages({given})").effects == [Say(text) for text in texts]


def test_send_message_with_quick_replies_hangs_them_on_the_message(scene: Scene) -> None:
    outcome = scene().run("botContext.sendMessageWithQuickReplies('a', ['Yes~y', 'No'])")
    assert outcome.effects == [Say("a", ["Yes~y", "No"])]


def test_send_message_with_quick_replies_needs_none(scene: Scene) -> None:
    assert scene().run("botContext.sendMessageWithQuickReplies('a')").effects == [Say("a")]


@pytest.mark.parametrize("name", ["addQuickReplies", "addQuickReples"])
def test_add_quick_replies_hangs_them_on_the_interaction_under_both_spellings(scene: Scene, name: str) -> None:
    assert scene().run(f"botContext.{name}(['Yes~y'])").effects == [AddQuickReplies(["Yes~y"])]
    assert scene().run(f"botContext.{name}('No')").effects == [AddQuickReplies(["No"])]


def test_more_than_ten_quick_replies_are_not_shown_and_traced(scene: Scene) -> None:
    ten = [str(n) for n in range(10)]
    source = "var a = []; for (var i = 0; i < 12; i++) a.push(i); botContext."
    assert scene().run(source + "sendMessageWithQuickReplies('a', a)").effects == [MANY, Say("a", ten)]
    assert scene().run(source + "addQuickReplies(a)").effects == [MANY, AddQuickReplies(ten)]


def test_a_title_of_more_than_twenty_characters_is_kept_and_traced(scene: Scene) -> None:
    fits, long = "x" * 20 + "~" + "y" * 30, "x" * 21
    assert scene().run(f"botContext.addQuickReplies(['{fits}'])").effects == [AddQuickReplies([fits])]
    assert scene().run(f"botContext.addQuickReplies(['{long}'])").effects == [LONG, AddQuickReplies([long])]


def test_send_private_message_is_not_for_the_consumer(scene: Scene) -> None:
    assert scene().run("botContext.sendPrivateMessage('a')").effects == [SayPrivately("a")]


@pytest.mark.parametrize(("given", "texts"), [("'one'", ["one"]), ("['one', 'two']", ["one", "two"])])
def test_send_immediate_reply_ends_the_script_and_the_flow(scene: Scene, given: str, texts: list[str]) -> None:
    outcome = scene().run(f"botContext.sendImmediateReply({given}); botContext.sendMessage('never')")
    assert outcome.error is None
    assert outcome.effects == [*(Say(text) for text in texts), Stop()]


def test_an_immediate_reply_ends_the_script_whatever_it_catches(scene: Scene) -> None:
    source = """
    function hide(f) { try { f() } catch (e) { try { botContext.sendMessage('hidden') } catch (e) {} } finally { f = null } }
    var o = {}; botContext.setBotVariable('o', o);
    o.a = 1;
    hide(function () { botContext.sendImmediateReply(['one', 'two']) });
    o.a = 2;
    botContext.setBotVariable('late', 1);
    """
    outcome = scene().run(source)
    assert outcome.error is None
    assert outcome.effects == [
        SetVariable("o", {}, "request"),
        Say("one"),
        Say("two"),
        SetVariable("o", {"a": 1}, "request"),
        Stop(),
    ]


def test_a_loop_around_an_immediate_reply_is_no_failure(scene: Scene) -> None:
    outcome = scene().run("while (true) try { botContext.sendImmediateReply('one') } catch (e) {}")
    assert (outcome.error, outcome.effects) == (None, [Say("one"), Stop()])
