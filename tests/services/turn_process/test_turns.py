"""What a turn process answers when the engine fails. Run in this process, so that the failure can be arranged."""

import msgspec
import pytest

from services.turn_process import turns as module
from services.turn_process.turns import Turns
from services.turn_process.warm_up import warm_up
from shared.dialog.frames import FRAME_LIMIT, Answer, Load, Note, Running
from shared.dialog.session import Session
from shared.scripting.limits import Limits
from tests.services.turn_process.conftest import bot_of, request_for, texts

BOT = bot_of("botContext.sendMessage('hi')")


@pytest.fixture
def turns() -> Turns:
    turns = Turns(Limits())
    assert turns.load(Load(BOT.version, BOT.blob)).error is None
    return turns


def answer_of(turns: Turns) -> Answer:
    frame = turns.answer(request_for(BOT), lambda _script: None)
    return msgspec.msgpack.decode(frame[4:], type=Answer)


def test_a_failing_engine_is_told_by_type_and_place_without_its_message(
    turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise LookupError("what the consumer said")

    with monkeypatch.context() as patch:
        patch.setattr(module, "advance", fail)
        error = answer_of(turns).error
    assert error is not None
    assert error.startswith("LookupError in fail (")
    assert "consumer" not in error
    turns.rest()
    assert texts(answer_of(turns)) == ["hi", "end"]


@pytest.mark.parametrize("value", ["x" * FRAME_LIMIT, 1 << 70])
def test_a_session_that_cannot_be_sent_is_an_engine_failure(
    turns: Turns, monkeypatch: pytest.MonkeyPatch, value: object
) -> None:
    def bloat(*_: object, **__: object) -> object:
        return Answer(Session("v", session={"a": value}))

    monkeypatch.setattr(Turns, "_advance", bloat)
    answer = answer_of(turns)
    assert answer.error is not None
    assert answer.session is None


def test_the_warm_up_runs_a_whole_turn() -> None:
    answer = msgspec.msgpack.decode(warm_up(Limits())[4:], type=Answer)
    assert answer.error is None
    assert texts(answer)[0] == "1"


def test_an_unreadable_version_is_refused_in_words(turns: Turns) -> None:
    assert turns.load(Load("v", b"")).error is not None
    assert turns.load(Load("v", bot_of("").blob[:-9])).error is not None


def test_the_account_of_the_installation_reaches_scripts(turns: Turns) -> None:
    bot = bot_of("botContext.sendMessage(botContext.getLPAccountId())")
    turns.load(Load(bot.version, bot.blob))
    request = request_for(bot)
    conversation = msgspec.structs.replace(request.conversation, account_id="acc")
    frame = turns.answer(msgspec.structs.replace(request, conversation=conversation), lambda _script: None)
    assert texts(msgspec.msgpack.decode(frame[4:], type=Answer)) == ["acc", "end"]


@pytest.mark.parametrize("lines", [3, 99, 100, 101, 2500, 10_001])
def test_a_failure_is_placed_in_scripts_of_any_length(lines: int) -> None:
    turns = Turns(Limits())
    for source in ("botContext.sendMessage('short')", "\n" * (lines - 1) + "nowhere()"):
        bot = bot_of(source)
        assert turns.load(Load(bot.version, bot.blob)).error is None
    frame = turns.answer(request_for(bot), lambda _script: None)
    trace = msgspec.msgpack.decode(frame[4:], type=Answer).trace
    [failed] = [line for line in trace if line.code == "script-failed"]
    assert f"line {lines}" in failed.note


def test_a_note_says_which_script_runs_and_since_when() -> None:
    note = Note(memoryview(bytearray(Note.SIZE)))
    assert note.read() is None
    note.write("1:pre:ünï", 12.5)
    assert note.read() == Running("1:pre:ünï", 12.5)
    note.write("", 13.0)
    assert note.read() is None


def test_a_note_that_is_no_text_or_too_long_can_be_read() -> None:
    memory = memoryview(bytearray(b"\xff" * Note.SIZE))
    running = Note(memory).read()
    assert running is not None
    assert len(running.script) < Note.SIZE
    Note(memory).write("x" * 2 * Note.SIZE, 0.0)
    running = Note(memory).read()
    assert running is not None
    assert set(running.script) == {"x"}


def test_variables_that_were_looked_up_are_read_by_scripts_and_leave_with_their_turn() -> None:
    reads = bot_of("botContext.sendMessage('' + botContext.getEnvVariable('history'))")
    turns = Turns(Limits())
    assert turns.load(Load(reads.version, reads.blob)).error is None
    request = msgspec.structs.replace(request_for(reads), environment={"history": "va.example.com"})
    told = [texts(msgspec.msgpack.decode(turns.answer(one, lambda _script: None)[4:], type=Answer)) for one in
            (request, request_for(reads))]  # fmt: skip
    assert [one[0] for one in told] == ["va.example.com", "null"]
