"""Dialogs on the stack: jumps, returns, and the limits of a chain (CB: reference/dialogs.md 2.6, 2.9)."""

from shared.dialog.texts import NOT_UNDERSTOOD
from tests.unit.dialog.bots import Part, bot, dialog, fallback, go, id_of, question, says, starter, text
from tests.unit.dialog.talk import Talk


def stack(talk: Talk) -> list[str]:
    names = {one.id: one.name for one in talk.bot.dialogs.values()}
    return [names[frame.dialog_id] for frame in talk.turn.session.position.stack]


def test_a_jump_into_another_dialog_returns_to_the_question_it_left() -> None:
    menu = dialog("Menu", starter("menu"), question("which?", "", go("first", when=says("a"))))
    talk = Talk(bot(menu, dialog("Other", text("first"), text("second"))))
    talk.say("menu")
    assert talk.say("a") == ["first", "second", "which?"]
    assert talk.question == "which?"


def test_a_dialog_that_jumped_away_from_a_statement_is_not_returned_to() -> None:
    talk = Talk(bot(dialog("D", starter("hi"), text("here", then="there"), text("never")), dialog("E", text("there"))))
    assert talk.say("hi") == ["here", "there"]
    assert stack(talk) == []


def test_a_jump_to_a_dialog_on_the_stack_leaves_those_above_it() -> None:
    menu = dialog("Menu", starter("menu"), text("top"), question("which?", "", go("ask", when=says("a"))))
    talk = Talk(bot(menu, dialog("Other", question("ask", "", go("top", when=says("up"))))))
    talk.say("menu")
    talk.say("a")
    assert stack(talk) == ["Menu", "Other"]
    assert talk.say("up") == ["top", "which?"]
    assert stack(talk) == ["Menu"]


def test_a_fallback_dialog_that_jumps_away_is_not_returned_to() -> None:
    talk = Talk(
        bot(
            fallback(text("sorry", then="ask")),
            dialog("D", question("ask", "", go("end", when=says("x")), go("none", when=says("y"))), text("end")),
        )
    )
    assert talk.say("what?") == ["sorry", "ask"]
    assert stack(talk) == ["D"]
    assert talk.say("x") == ["end"]
    assert stack(talk) == []


def test_returns_unwind_one_dialog_after_the_other() -> None:
    def topic(name: str) -> Part:
        return dialog(name, starter(name), question(f"{name}?", "", go("next", when=says("ok"))), text(f"{name}!"))

    talk = Talk(bot(topic("a"), topic("b"), topic("c")))
    talk.say("a")
    talk.say("b")
    talk.say("c")
    assert stack(talk) == ["a", "b", "c"]
    assert talk.say("ok") == ["c!", "b?"]
    assert talk.say("ok") == ["b!", "a?"]
    assert talk.say("ok") == ["a!"]


def test_dialog_variables_end_with_their_dialog() -> None:
    keep = {"name": "size", "value": "{$userMessage}", "scope": "DIALOG"}
    tell = "botContext.sendMessage(String(botContext.getBotVariable('size')))"
    inner = dialog("Inner", starter("inner"), question("size?", "", go("next", keep)), text("in", pre=tell))
    outer = dialog("Outer", starter("outer"), question("q", "", go("end", when=says("ok")), pre=tell), text("end"))
    talk = Talk(bot(outer, inner))
    assert talk.say("outer") == ["null", "q"]
    assert talk.say("inner") == ["size?"]
    assert talk.say("XL") == ["XL", "in", "null", "q"]


def test_ten_interactions_in_a_row_are_shown_and_the_eleventh_stops_the_flow() -> None:
    talk = Talk(bot(dialog("D", starter("hi"), *(text(f"t{n}") for n in range(12)))))
    assert talk.say("hi") == [f"t{n}" for n in range(10)]
    assert talk.warnings == ["chain-limit"]
    assert stack(talk) == []


def test_the_manifest_may_allow_longer_chains() -> None:
    talk = Talk(bot(dialog("D", starter("hi"), *(text(f"t{n}") for n in range(12))), manifest="[limits]\nchain = 12"))
    assert len(talk.say("hi")) == 12


def test_a_question_starts_the_count_again() -> None:
    before, after = (text(f"a{n}") for n in range(8)), (text(f"b{n}") for n in range(8))
    talk = Talk(bot(dialog("D", starter("hi"), *before, question("q"), *after)))
    assert len(talk.say("hi")) == 9
    assert len(talk.say("x")) == 8
    assert talk.warnings == []


def test_the_sixth_change_of_dialog_in_a_row_stops_the_flow() -> None:
    chain = [dialog(f"D{n}", text(f"t{n}", then=f"t{n + 1}")) for n in range(8)]
    talk = Talk(bot(dialog("D", starter("hi"), text("t", then="t0")), *chain))
    assert talk.say("hi") == ["t", "t0", "t1", "t2", "t3", "t4"]
    assert talk.warnings == ["chain-limit"]


def test_questions_that_send_each_other_on_end_too() -> None:
    back = "botContext.setTriggerNextMessage('a')"
    talk = Talk(
        bot(
            dialog(
                "D", starter("hi"), question("a", pre="botContext.setTriggerNextMessage('b')"), question("b", pre=back)
            )
        )
    )
    assert len(talk.say("hi")) == 11
    assert talk.warnings == ["chain-limit"]
    assert stack(talk) == []


def test_a_turn_sends_at_most_a_hundred_messages() -> None:
    script = "for (var i = 0; i < 120; i++) botContext.sendMessage('m' + i)"
    talk = Talk(bot(dialog("D", starter("hi"), text("own", pre=script))))
    assert len(talk.say("hi")) == 100
    assert "refused" in talk.warnings


def test_an_empty_or_disabled_dialog_is_no_target() -> None:
    off = dialog("Off", text("off"), status="DISABLED")
    rules = (go("dialog:Off", when=says("a")), go("dialog:Empty", when=says("b")))
    talk = Talk(
        bot(dialog("D", starter("hi"), question("q", "", *rules), text("then", then="q")), off, dialog("Empty"))
    )
    talk.say("hi")
    assert talk.say("a") == ["then", "q"]
    assert talk.say("b") == ["then", "q"]
    assert talk.warnings == ["unknown-interaction"]


def test_the_stack_names_the_dialogs_and_the_last_interaction_of_each() -> None:
    talk = Talk(bot(dialog("D", starter("hi"), question("q", "", go("next", when=says("ok"))))))
    talk.say("hi")
    (frame,) = talk.turn.session.position.stack
    assert (frame.dialog_id, frame.interaction_id) == (id_of("dialog:D"), id_of("q"))
    assert talk.say("ok") == []
    assert talk.say("ok") == [NOT_UNDERSTOOD]
