"""Code panels: their order, what they may redirect, and what happens when they fail (R2 to R5, R18, R19)."""

import pytest

from shared.dialog.scripts import Say, ScriptOutcome, ScriptRef, ScriptState
from shared.dialog.texts import NOT_UNDERSTOOD
from tests.unit.dialog.bots import bot, call, dialog, fallback, go, integration, question, says, sets, starter, text
from tests.unit.dialog.talk import Talk


def go_to(name: str) -> str:
    return f"botContext.setTriggerNextMessage('{name}');"


def test_messages_of_scripts_come_in_call_order_before_the_own_content() -> None:
    shown = text(
        "own",
        pre="botContext.sendMessage('a'); botContext.sendMessages(['b', 'c'])",
        post="botContext.sendMessage('d')",
    )
    assert Talk(bot(dialog("D", starter("hi"), shown))).say("hi") == ["a", "b", "c", "d", "own"]


def test_pre_process_comes_before_the_content_is_made_and_post_process_after_it() -> None:
    shown = text(
        "own",
        "{$botContext.x}",
        pre="botContext.setBotVariable('x', 'pre')",
        post="botContext.setBotVariable('x', 'post')",
    )
    talk = Talk(bot(dialog("D", starter("hi"), shown, text("later", "{$botContext.x}"))))
    assert talk.say("hi") == ["pre", "post"]


def test_process_user_response_runs_after_the_variables_of_the_rule_and_overrides_its_target() -> None:
    script = "if (botContext.getBotVariable('who') == 'Ann') botContext.setTriggerNextMessage('vip')"
    asked = question("q", "", go("next", sets("who", "{$userMessage}")), response=script)
    shop = dialog("D", starter("hi"), asked, text("plain", then="none"), text("vip", then="none"))
    for name, expected in (("Ann", ["vip"]), ("Bob", ["plain"])):
        talk = Talk(bot(shop))
        talk.say("hi")
        assert talk.say(name) == expected


def test_process_user_response_overrides_none() -> None:
    asked = question("q", "", go("none"), response=go_to("there"))
    talk = Talk(bot(dialog("D", starter("hi"), asked, text("there"))))
    talk.say("hi")
    assert talk.say("x") == ["there"]


def test_process_user_response_is_not_run_if_nothing_matched() -> None:
    asked = question("q", "", go("next", when=says("yes")), response="botContext.sendMessage('ran')")
    talk = Talk(bot(dialog("D", starter("hi"), asked, text("end"))))
    talk.say("hi")
    assert talk.say("no") == [NOT_UNDERSTOOD, "q"]
    assert talk.say("yes") == ["ran", "end"]


def test_a_statement_that_jumps_in_pre_process_still_shows_its_content() -> None:
    talk = Talk(bot(dialog("D", starter("hi"), text("here", pre=go_to("there")), text("skipped"), text("there"))))
    assert talk.say("hi") == ["here", "there"]


def test_a_question_that_jumps_in_pre_process_shows_its_content_and_does_not_wait() -> None:
    talk = Talk(bot(dialog("D", starter("hi"), question("q", pre=go_to("there")), text("skipped"), text("there"))))
    assert talk.say("hi") == ["q", "there"]
    assert talk.question is None
    assert not any(reply.asks for reply in talk.replies)


def test_blank_message_shows_nothing() -> None:
    talk = Talk(
        bot(dialog("D", starter("hi"), text("x", "BLANK_MESSAGE", pre=go_to("there")), text("y"), text("there")))
    )
    assert talk.say("hi") == ["there"]


def test_a_question_may_wait_in_silence() -> None:
    talk = Talk(bot(dialog("D", starter("hi"), question("q", "BLANK_MESSAGE"), text("end"))))
    assert talk.say("hi") == []
    assert talk.question == "q"
    assert talk.say("x") == ["end"]


def test_a_starter_may_redirect_its_dialog() -> None:
    assert Talk(bot(dialog("D", starter("hi", pre=go_to("there")), text("here"), text("there")))).say("hi") == ["there"]


def test_a_trigger_beats_none_and_the_last_trigger_wins() -> None:
    shown = text("here", then="none", pre=go_to("one"), post=go_to("two"))
    assert Talk(bot(dialog("D", starter("hi"), shown, text("one"), text("two")))).say("hi") == ["here", "two"]


@pytest.mark.parametrize("name", ["'Nobody'", "null", "undefined", "''"])
def test_an_unknown_interaction_name_is_traced_and_the_normal_next_action_is_taken(name: str) -> None:
    shown = text("here", pre=f"botContext.setTriggerNextMessage({name})")
    talk = Talk(bot(dialog("D", starter("hi"), shown, text("then"))))
    assert talk.say("hi") == ["here", "then"]
    assert talk.warnings == ["unknown-interaction"]


def test_a_question_whose_script_names_an_unknown_interaction_waits() -> None:
    talk = Talk(bot(dialog("D", starter("hi"), question("q", pre=go_to("Nobody")), text("end"))))
    assert talk.say("hi") == ["q"]
    assert talk.question == "q"


def test_an_integration_whose_pre_process_jumps_is_not_called() -> None:
    dialogs = dialog("D", starter("hi"), call("c", "Store", pre=go_to("there")), text("skipped"), text("there"))
    talk = Talk(bot(dialogs, integrations=(integration("Store"),)))
    assert talk.say("hi") == ["there"]
    assert talk.call is None


def test_an_immediate_reply_ends_the_script_and_the_flow() -> None:
    script = "try { botContext.sendImmediateReply(['a', 'b']); } catch (e) {} botContext.sendMessage('c');"
    talk = Talk(bot(dialog("D", starter("hi"), text("here", pre=script), text("then"))))
    assert talk.say("hi") == ["a", "b"]
    assert talk.turn.session.position.stack == []
    assert talk.say("hi") == ["a", "b"]


def test_an_immediate_reply_in_post_process_keeps_the_own_content_back() -> None:
    talk = Talk(bot(dialog("D", starter("hi"), text("here", post="botContext.sendImmediateReply('a')"), text("then"))))
    assert talk.say("hi") == ["a"]


def test_an_immediate_reply_to_an_answer_lets_the_question_wait_on() -> None:
    script = "if (botContext.getCurrentUserMessage() == 'x') botContext.sendImmediateReply('not x')"
    talk = Talk(bot(dialog("D", starter("hi"), question("q", response=script), text("end"))))
    talk.say("hi")
    assert talk.say("x") == ["not x"]
    assert talk.question == "q"
    assert talk.say("y") == ["end"]


def test_a_script_hands_the_message_to_the_starters() -> None:
    asked = question("q", response="botContext.setTriggerNextMessage('platform.default')")
    talk = Talk(
        bot(
            dialog("D", starter("hi"), asked, text("end")),
            dialog("Help", starter("help"), text("helping", then="none")),
        )
    )
    talk.say("hi")
    assert talk.say("help") == ["helping"]


def test_a_message_no_starter_wants_comes_back_to_its_question() -> None:
    asked = question("q", response="botContext.setTriggerNextMessage('platform.default')")
    talk = Talk(bot(dialog("D", starter("hi"), asked, text("end")), fallback(text("sorry"))))
    talk.say("hi")
    assert talk.say("what?") == ["sorry", "q"]


def test_content_comes_before_what_the_starters_or_the_fallback_say() -> None:
    talk = Talk(
        bot(dialog("D", starter("hi"), question("q", response=go_to("t")), text("t", pre=go_to("platform.default"))))
    )
    talk.say("hi")
    assert talk.say("what?") == ["t", NOT_UNDERSTOOD]
    assert talk.turn.session.position.stack == []


def test_a_script_that_fails_keeps_its_effects_and_the_flow_goes_on() -> None:
    script = "botContext.sendMessage('before');\nboom();\nbotContext.sendMessage('after');"
    talk = Talk(bot(dialog("D", starter("hi"), text("here", pre=script), text("then"))))
    assert talk.say("hi") == ["before", "here", "then"]
    (line,) = [line for line in talk.turn.trace if line.code == "script-failed"]
    assert line.interaction == "here"
    assert line.note == "Pre-Process Code ended at line 2; what it did before counts"
    assert "boom" in line.values["error"]


def test_an_unknown_function_is_a_traced_warning() -> None:
    talk = Talk(
        bot(dialog("D", starter("hi"), text("here", pre="botContext.flyToTheMoon(1); botContext.sendMessage('on')")))
    )
    assert talk.say("hi") == ["on", "here"]
    assert [(line.code, line.note) for line in talk.turn.trace if line.level == "warning"] == [
        ("unknown-function", "flyToTheMoon")
    ]


def test_global_functions_are_at_hand_in_every_panel_and_the_hook_runs_once_a_session() -> None:
    functions = "function shout(t) { return t + '!'; } function __initConversation() { botContext.setBotVariable('n', 'init', true); botContext.printDebugMessage('started'); }"
    shown = text(
        "own", "{$botContext.said}", pre="botContext.setBotVariable('said', shout(botContext.getBotVariable('n')))"
    )
    talk = Talk(bot(dialog("D", starter("hi"), shown), functions=functions))
    assert talk.say("hi") == ["init!"]
    assert [line.values["text"] for line in talk.lines("log")] == ["started"]
    talk.say("hi")
    assert talk.lines("log") == []
    talk.expire()
    talk.say("hi")
    assert len(talk.lines("log")) == 1


def test_global_functions_that_throw_are_traced_and_what_they_declare_stays_usable() -> None:
    talk = Talk(
        bot(
            dialog("D", starter("hi"), text("own", pre="botContext.sendMessage(shout('a'))")),
            functions="boom(); function shout(t) { return t + '!'; }",
        )
    )
    assert talk.say("hi") == ["a!", "own"]
    assert "script-failed" in talk.warnings


def test_a_script_in_abandon_is_not_run_and_is_traced() -> None:
    talk = Talk(
        bot(
            dialog(
                "D",
                starter("hi"),
                text("one", pre="botContext.sendMessage('a')"),
                text("two", pre="botContext.sendMessage('b')"),
            )
        )
    )
    talk.abandon = frozenset({"1:pre:one"})
    assert talk.say("hi") == ["one", "b", "two"]
    assert talk.warnings == ["script-stopped"]


def test_a_jump_by_script_reaches_an_interaction_in_another_dialog() -> None:
    talk = Talk(
        bot(dialog("D", starter("hi", pre=go_to("there")), text("here")), dialog("Other", text("first"), text("there")))
    )
    assert talk.say("hi") == ["there"]
    assert talk.lines("jump")[0].note == "a script goes to there"


def test_private_messages_and_custom_events_are_in_the_trace_only() -> None:
    script = "botContext.sendPrivateMessage('psst'); botContext.logCustomEvent('m', 'name', 'detail')"
    talk = Talk(bot(dialog("D", starter("hi"), text("here", pre=script))))
    assert talk.say("hi") == ["here"]
    assert talk.lines("private-message")[0].values == {"text": "psst"}
    assert talk.lines("custom-event")[0].values == {"message": "m", "name": "name", "detail": "detail"}


class CostlyScripts:
    """Scripts that say their source, use three seconds each, and are stopped while they do."""

    def run(self, ref: ScriptRef, source: str, state: ScriptState) -> ScriptOutcome:
        """Say the source."""
        return ScriptOutcome([Say(source)], "took too long", 0, stopped=True, us=3_000_000)


def test_a_stopped_script_keeps_its_effects_and_the_scripts_of_a_turn_share_their_time() -> None:
    shown = [text(name, "BLANK_MESSAGE", pre=name) for name in ("a", "b", "c")]
    talk = Talk(bot(dialog("D", starter("hi"), *shown)), scripts=CostlyScripts())
    assert talk.say("hi") == ["a", "b"]
    assert talk.warnings == ["script-stopped"] * 3
    assert talk.say("hi") == ["a", "b"]
