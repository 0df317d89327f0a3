"""Events that cannot be handled end as dead letters, and the conversation goes on."""

import pytest

from services.dialog_worker.turn_processes import EngineFailure
from shared.dialog.effects import Reply, StartCall
from shared.dialog.events import ConsumerMessage
from shared.dialog.frames import Advance, Answer
from shared.dialog.session import Session
from shared.store import keys
from tests.services.dialog_worker.conftest import Talks
from tests.services.dialog_worker.conversations import ERROR_TEXT, repeats


def fails_on_bad(request: Advance) -> Answer:
    if isinstance(request.event, ConsumerMessage) and request.event.text == "bad":
        raise EngineFailure("KeyError in advance (engine.py:1)")
    return repeats(request)


async def test_an_engine_failure_is_tried_three_times_then_the_event_is_given_up(talk_with: Talks) -> None:
    talk = await talk_with(fails_on_bad)
    await talk.say("one")
    await talk.work()
    before = await talk.session()
    await talk.say("bad")
    await talk.work()
    assert len(talk.engine.asked) == 1 + 3
    [dead] = await talk.dead()
    assert (dead[b"reason"], dead[b"kind"]) == (b"engine", b"message")
    assert b"bad" in dead[b"body"]
    assert await talk.session() == before


async def test_a_given_up_event_that_began_a_session_leaves_that_to_the_next_event(talk_with: Talks) -> None:
    talk = await talk_with(fails_on_bad)
    await talk.say("one")
    await talk.work()
    await talk.set(keys.conv(talk.id), "session_until", "1")
    await talk.say("bad", "two", "three")
    await talk.work()
    assert await talk.replies() == ["1: one", ERROR_TEXT, "1: two", "2: three"]


async def test_the_consumer_reads_the_bots_default_error_text_and_may_go_on(talk_with: Talks) -> None:
    talk = await talk_with(fails_on_bad)
    await talk.say("one", "bad", "two")
    await talk.work()
    assert await talk.replies() == ["1: one", ERROR_TEXT, "2: two"]
    assert await talk.field("state") == "idle"


async def test_an_engine_that_fails_once_is_forgiven(talk_with: Talks) -> None:
    failures = iter([True, False])

    def engine(request: Advance) -> Answer:
        if next(failures):
            raise EngineFailure("a turn process ended")
        return repeats(request)

    talk = await talk_with(engine)
    await talk.say("hi")
    await talk.work()
    assert await talk.replies() == ["1: hi"]
    assert await talk.dead() == []


async def test_an_event_that_lost_its_worker_ten_times_is_given_up_unseen(talk_with: Talks) -> None:
    talk = await talk_with()
    await talk.say("deadly", "fine")
    await talk.set(keys.conv(talk.id), "tries", "10")
    await talk.work()
    assert await talk.replies() == [ERROR_TEXT, "1: fine"]
    [dead] = await talk.dead()
    assert dead[b"reason"] == b"lost-leases"


async def test_an_event_that_lost_its_worker_nine_times_is_tried_again(talk_with: Talks) -> None:
    talk = await talk_with()
    await talk.say("hi")
    await talk.set(keys.conv(talk.id), "tries", "9")
    await talk.work()
    assert await talk.replies() == ["1: hi"]


@pytest.mark.parametrize("what", ["replies", "effects", "session"])
async def test_a_turn_over_a_limit_is_an_engine_failure(talk_with: Talks, what: str) -> None:
    def engine(request: Advance) -> Answer:
        session = Session(request.version)
        match what:
            case "replies":
                return Answer(session, [Reply(text="x")] * 101)
            case "effects":
                return Answer(session, [Reply(text="x" * 200_000)] * 6)
            case _:
                return Answer(Session(request.version, session={str(n): "x" * 250_000 for n in range(17)}))

    talk = await talk_with(engine)
    await talk.say("hi")
    await talk.work()
    assert await talk.replies() == [ERROR_TEXT]
    assert await talk.session() == {}


async def test_the_outcome_of_a_call_can_be_given_up_too(talk_with: Talks) -> None:
    def engine(request: Advance) -> Answer:
        if request.turn == 1:
            return Answer(Session(request.version), [StartCall("i", {})])
        raise EngineFailure("KeyError in advance (engine.py:1)")

    talk = await talk_with(engine)
    await talk.say("call")
    await talk.work()
    await talk.outcome(f"{talk.id}.1")
    await talk.work()
    [dead] = await talk.dead()
    assert dead[b"kind"] == b"outcome"
    assert await talk.field("state") == "idle"
    assert await talk.redis.exists(keys.result(talk.id)) == 0


async def test_a_conversation_whose_bot_is_not_published_says_so_in_the_dead_letters(talk_with: Talks) -> None:
    talk = await talk_with()
    await talk.redis.delete(keys.bot("small"))
    await talk.say("hi")
    await talk.work()
    [dead] = await talk.dead()
    assert dead[b"reason"] == b"engine"
    [trace] = await talk.traces()
    assert trace["lines"][0]["note"] == "No bot small is published: deploy it."


async def test_an_event_that_cannot_be_decoded_is_given_up(talk_with: Talks) -> None:
    talk = await talk_with()
    answer = await talk.mailbox.ingest_message(talk.id, "1", b'{"type":"unheard of"}', b"{}")
    assert answer.outcome == "accepted"
    await talk.work()
    [dead] = await talk.dead()
    assert dead[b"body"] == b'{"type":"unheard of"}'
