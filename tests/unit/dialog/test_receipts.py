"""What a turn tells the owners of forms: that a call was applied, what became of its message, and who read it."""

import msgspec
import pytest

from shared.dialog.effects import ReceiptFact
from tests.unit.dialog.bots import bot, dialog, go, question, starter, text
from tests.unit.dialog.talk import Talk

SIZE = "botContext.sendMessage('size ' + botContext.getWebViewVariable('size'))"
ALL = "botContext.sendMessage(Object.keys(botContext.getWebViewVariables()).join())"


def shop(manifest: str = "") -> Talk:
    said = dialog("Done", starter("form done"), text("Sum up", "BLANK_MESSAGE", pre=SIZE + ";" + SIZE))
    asked = dialog("All", starter("all"), text("List", "BLANK_MESSAGE", pre=ALL))
    asks = dialog("Ask", starter("ask"), question("q", "", go("q"), pre=SIZE))
    return Talk(bot(said, asked, asks, manifest=manifest))


def facts(talk: Talk) -> list[tuple[str, str]]:
    return [(fact.receipt, fact.fact) for fact in talk.turn.effects if isinstance(fact, ReceiptFact)]


def test_variables_are_told_as_applied_and_the_message_as_routed() -> None:
    talk = shop()
    assert talk.post({"size": "M"}, "form done", receipt="r1") == ["size M", "size M"]
    assert facts(talk) == [("r1", "applied"), ("r1", "routed"), ("r1", "read:Sum up")]


def test_a_later_turn_tells_who_read_the_variable_and_which_call_it_was_from() -> None:
    talk = shop()
    talk.post({"size": "M", "colour": "red"}, receipt="r1")
    assert facts(talk) == [("r1", "applied")]
    talk.post({"size": "L"}, receipt="r2")
    talk.say("form done")
    assert facts(talk) == [("r2", "read:Sum up")]
    talk.say("all")
    assert facts(talk) == [("r2", "read:List"), ("r1", "read:List")]


def test_what_no_form_posted_is_read_without_a_word() -> None:
    talk = shop()
    talk.say("form done")
    assert facts(talk) == []
    talk.post({"colour": "red"}, receipt="r1")
    talk.say("form done")
    assert facts(talk) == []


def test_a_call_without_a_receipt_leaves_nothing_to_tell() -> None:
    talk = shop()
    talk.post({"size": "M"}, receipt="r1")
    talk.post({"size": "L"}, "form done")
    assert facts(talk) == []
    assert talk.turn.session.receipts == {}


@pytest.mark.parametrize(
    ("status", "more", "told"), [("transferred", {}, ["applied", "kept"]), ("open", {"late": True}, ["applied"])]
)
def test_a_message_that_is_not_routed_is_told_as_such(status: str, more: dict[str, bool], told: list[str]) -> None:
    talk = shop()
    talk.say("ask")
    talk.conversation = talk.conversation.__class__(id="0-c1", bot_id="bot", user_id="u", status=status)
    talk.post({"size": "M"}, "form done", receipt="r1", **more)
    assert [fact for _, fact in facts(talk)] == told


def test_a_message_that_came_while_the_bot_was_busy_is_told_as_dropped() -> None:
    talk = shop(manifest='[environment]\nsystem_handleIntermediateUserMessage = "true"\n')
    talk.say("all")
    talk.post({"size": "M"}, "form done", busy=True, receipt="r1")
    assert [fact for _, fact in facts(talk)] == ["applied", "dropped"]


def test_a_new_session_knows_no_receipts() -> None:
    talk = shop()
    talk.post({"size": "M"}, receipt="r1")
    talk.expire()
    talk.say("form done")
    assert facts(talk) == []


def test_what_is_remembered_of_calls_counts_as_part_of_the_session() -> None:
    talk = shop()
    for number in range(5):
        names = {f"{number}-{n}-" + "x" * 4000: "" for n in range(200)}
        talk.post(names, receipt=f"0-{'0' * 32}")
    assert len(talk.turn.session.receipts) < 5 * 200
    assert len(msgspec.msgpack.encode(talk.turn.session)) < 4 * 1024 * 1024
    assert "refused" in {line.code for line in talk.turn.trace}
