"""START, FINISH_ATTEMPT and RESULT: a call is awaited once, tried several times, and ends once."""

from collections.abc import Awaitable, Callable

import pytest

from shared.queue import jobs
from shared.queue.mailbox import Mailbox
from shared.queue.records import CallRecord, Commit
from shared.store import keys
from tests.store.conftest import Own, Raw, Say, Shifts, Starts, State

Calls = Callable[[], Awaitable[str]]


@pytest.fixture
def call(mailbox: Mailbox, conversation: Starts, say: Say, own: Own) -> Calls:
    """Have a turn of a new conversation make a call; returns the call's id."""

    async def make() -> str:
        talk = await conversation()
        await say(talk)
        await own(talk)
        record = CallRecord(f"{talk}.1", "api", "v1", b"\x80|\xff", queue_ms=10_000, budget_ms=20_000)
        commit = Commit(fence="f1", next_fence="f2", consumed=1, session={"a": b"1"}, call=record)
        assert (await mailbox.commit(talk, commit)).state == "waiting"
        return record.id

    return make


async def test_a_call_is_enqueued_for_the_integration_workers(redis: Raw, call: Calls) -> None:
    call_id = await call()
    queue = keys.integration_queue(0)
    [job_id] = await redis.zrange(queue, 0, -1)
    assert await redis.lrange(keys.bell(queue), 0, -1) == [job_id]
    job = jobs.deserialize(await redis.get(b"arq:job:" + job_id))
    assert {**job, "et": 0} == {**jobs.deserialize(jobs.call_payload(call_id)), "et": 0}
    assert 80_000 < await redis.pttl(keys.call(call_id)) <= 90_000


async def test_the_first_start_gives_the_budget_and_what_to_call(
    mailbox: Mailbox, redis: Raw, call: Calls, shift: Shifts
) -> None:
    call_id = await call()
    await shift(keys.conversation_of(call_id), call_deadline=25_000)
    started = await mailbox.start(call_id, "claim")
    assert (started.outcome, started.attempts, started.interrupted) == ("go", 0, False)
    assert (started.integration_id, started.version, started.values) == ("api", "v1", b"\x80|\xff")
    assert started.left_ms == 20_000
    assert await redis.pttl(keys.call(call_id)) <= 80_000


async def test_a_call_started_late_has_only_what_is_left_of_its_allowance(
    mailbox: Mailbox, call: Calls, shift: Shifts
) -> None:
    call_id = await call()
    await shift(keys.conversation_of(call_id), call_deadline=7000)
    assert 0 < (await mailbox.start(call_id, "claim")).left_ms <= 7000


async def test_a_start_sent_twice_counts_once(mailbox: Mailbox, redis: Raw, call: Calls) -> None:
    call_id = await call()
    first = await mailbox.start(call_id, "claim")
    again = await mailbox.start(call_id, "claim")
    assert (again.attempts, again.interrupted) == (first.attempts, first.interrupted) == (0, False)
    assert await redis.hget(keys.call(call_id), "attempts") == b"1"


async def test_each_attempt_that_ended_is_counted_and_recorded(mailbox: Mailbox, call: Calls) -> None:
    call_id = await call()
    await mailbox.start(call_id, "c1")
    assert await mailbox.finish_attempt(call_id, "c1", b"503")
    assert not await mailbox.finish_attempt(call_id, "c1", b"503")
    await mailbox.start(call_id, "c1")
    assert await mailbox.finish_attempt(call_id, "c1", b"\xff|500")
    started = await mailbox.start(call_id, "c2")
    assert (started.attempts, started.interrupted, started.ended) == (2, False, [b"503", b"\xff|500"])


async def test_an_attempt_that_waits_to_be_made_does_not_count(mailbox: Mailbox, call: Calls) -> None:
    call_id = await call()
    for claim in ("c1", "c2"):
        assert (await mailbox.start(call_id, claim)).attempts == 0
        assert await mailbox.finish_attempt(call_id, claim, b"")
        assert not await mailbox.finish_attempt(call_id, claim, b"")
    started = await mailbox.start(call_id, "c3")
    assert (started.attempts, started.interrupted, started.ended) == (0, False, [])


async def test_an_attempt_that_never_ended_shows_to_the_next_worker_only(mailbox: Mailbox, call: Calls) -> None:
    call_id = await call()
    await mailbox.start(call_id, "dead")
    for _ in range(2):
        started = await mailbox.start(call_id, "next")
        assert (started.attempts, started.interrupted, started.ended) == (1, True, [])
    assert not await mailbox.finish_attempt(call_id, "dead", b"200")
    assert await mailbox.finish_attempt(call_id, "next", b"503")
    assert not (await mailbox.start(call_id, "next")).interrupted


async def test_a_call_whose_deadline_is_over_is_too_late(mailbox: Mailbox, call: Calls, shift: Shifts) -> None:
    call_id = await call()
    await shift(keys.conversation_of(call_id), call_deadline=-1)
    assert (await mailbox.start(call_id, "claim")).outcome == "late"
    assert await mailbox.result(call_id, b"late")


async def test_a_call_whose_record_has_expired_is_too_late(mailbox: Mailbox, redis: Raw, call: Calls) -> None:
    call_id = await call()
    await redis.delete(keys.call(call_id))
    assert (await mailbox.start(call_id, "claim")).outcome == "late"


async def test_the_outcome_is_served_before_messages_that_came_meanwhile(
    mailbox: Mailbox, redis: Raw, call: Calls, say: Say, own: Own, state: State
) -> None:
    call_id = await call()
    talk = keys.conversation_of(call_id)
    await say(talk)
    assert await state(talk) == "waiting"
    await mailbox.start(call_id, "claim")
    assert await mailbox.result(call_id, b"\x00|outcome")
    assert await state(talk) == "queued"
    batch = await own(talk, "f3")
    assert batch.result is not None
    assert (batch.result.kind, batch.result.sequence, batch.result.body) == ("outcome", 3, b"\x00|outcome")
    assert not batch.result.new_session
    assert batch.events == []
    committed = await mailbox.commit(talk, Commit(fence="f3", next_fence="f4", consumed_result=True))
    assert committed.state == "running"
    assert [event.sequence for event in committed.events] == [2]
    assert not await redis.exists(keys.result(talk), keys.call(call_id))


async def test_an_outcome_that_comes_twice_or_too_late_is_dropped(
    mailbox: Mailbox, call: Calls, own: Own, state: State
) -> None:
    call_id = await call()
    talk = keys.conversation_of(call_id)
    assert not await mailbox.result(f"{talk}.9", b"another call's")
    assert await mailbox.result(call_id, b"1")
    for fence in ("f3", "f4"):
        assert not await mailbox.result(call_id, b"2")
        assert (await mailbox.start(call_id, "claim")).outcome == "refused"
        assert not await mailbox.finish_attempt(call_id, "claim", b"200")
        if await state(talk) == "queued":
            batch = await own(talk, fence)
            assert batch.result is not None
            assert batch.result.body == b"1"
            await mailbox.commit(talk, Commit(fence=fence, next_fence="f", consumed_result=True))
    assert await state(talk) == "idle"


async def test_a_full_inbox_does_not_keep_a_call_from_waiting_nor_its_outcome_out(
    mailbox: Mailbox, conversation: Starts, say: Say, own: Own, state: State
) -> None:
    talk = await conversation()
    await say(talk)
    await own(talk)
    for _ in range(9):
        await say(talk)
    record = CallRecord(f"{talk}.1", "api", "v", b"", 10_000, 20_000)
    assert (await mailbox.commit(talk, Commit(fence="f1", next_fence="f2", consumed=0, call=record))).state == "waiting"
    assert (await mailbox.ingest_message(talk, "m", b"{}", b"{}")).outcome == "full"
    assert await mailbox.result(record.id, b"1")
    assert await state(talk) == "queued"
