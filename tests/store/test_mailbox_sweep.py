"""SWEEP and RECOVER: whatever is overdue gets a job, and a backlog gets none."""

import msgspec

from shared.dialog.events import CallOutcome
from shared.queue.mailbox import Mailbox
from shared.queue.records import CallRecord, Commit
from shared.store import keys
from tests.store.conftest import Own, Raw, Say, Shifts, Starts, State


async def waiting(talk: str, mailbox: Mailbox, say: Say, own: Own) -> str:
    await say(talk)
    await own(talk)
    call = CallRecord(f"{talk}.1", "api", "v", b"", 10_000, 20_000)
    await mailbox.commit(talk, Commit(fence="f1", next_fence="f2", consumed=1, call=call))
    return call.id


async def test_one_worker_sweeps_a_shard_until_it_stops(mailbox: Mailbox, redis: Raw) -> None:
    assert await mailbox.sweep(0, "a") == 0
    assert 0 < await redis.pttl(keys.sweeper(0)) <= 2000
    await redis.expire(keys.sweeper(0), 60)  # the test may be slow
    assert await mailbox.sweep(0, "b") is None
    assert await mailbox.sweep(1, "b") == 0
    assert await mailbox.sweep(0, "a") == 0
    await redis.delete(keys.sweeper(0))
    assert await mailbox.sweep(0, "b") == 0


async def test_nothing_is_done_before_it_is_due(
    mailbox: Mailbox, redis: Raw, conversation: Starts, say: Say, shift: Shifts
) -> None:
    talk = await conversation()
    await say(talk)
    assert await redis.zscore(keys.due(0), talk) is not None
    await shift(talk, due=60_000)
    await redis.delete(keys.dialog_queue(0))
    assert await mailbox.sweep(0, "me") == 0
    assert await redis.zcard(keys.dialog_queue(0)) == 0


async def test_a_queued_conversation_whose_job_is_gone_gets_a_new_one(
    mailbox: Mailbox, redis: Raw, conversation: Starts, say: Say, shift: Shifts, state: State
) -> None:
    talk = await conversation()
    await say(talk)
    await redis.delete(keys.dialog_queue(0), keys.bell(keys.dialog_queue(0)))
    await shift(talk, due=-1)
    assert await mailbox.sweep(0, "me") == 1
    assert await redis.zcard(keys.dialog_queue(0)) == 1
    assert await redis.llen(keys.bell(keys.dialog_queue(0))) == 1
    assert await state(talk) == "queued"
    assert await mailbox.sweep(0, "me") == 0


async def test_a_job_without_its_payload_counts_as_gone(
    mailbox: Mailbox, redis: Raw, conversation: Starts, say: Say, shift: Shifts
) -> None:
    talk = await conversation()
    await say(talk)
    [old] = await redis.zrange(keys.dialog_queue(0), 0, -1)
    await redis.delete(b"arq:job:" + old)
    await shift(talk, due=-1)
    assert await mailbox.sweep(0, "me") == 1
    [new] = await redis.zrange(keys.dialog_queue(0), 0, -1)
    assert new != old


async def test_a_backlog_adds_no_jobs(
    mailbox: Mailbox, redis: Raw, conversation: Starts, say: Say, own: Own, shift: Shifts
) -> None:
    queued, called = await conversation(), await conversation()
    await say(queued)
    await waiting(called, mailbox, say, own)
    before = await redis.dbsize()
    for _ in range(3):
        await shift(queued, due=-1)
        await shift(called, due=-1)
        assert await mailbox.sweep(0, "me") == 0
    assert await redis.dbsize() == before + 1, "only the sweeper's own key came"
    assert await redis.zcard(keys.integration_queue(0)) == 1
    later = await redis.zscore(keys.due(0), queued)
    seconds, _ = await redis.time()
    assert later is not None
    assert later > seconds * 1000 + 3000


async def test_a_lost_owner_is_replaced_and_its_fence_is_worth_nothing(
    mailbox: Mailbox, conversation: Starts, say: Say, own: Own, shift: Shifts, state: State
) -> None:
    talk = await conversation()
    await say(talk)
    await own(talk)
    await shift(talk, lease=-1, due=-1)
    assert await mailbox.sweep(0, "me") == 1
    assert await state(talk) == "queued"
    assert (await mailbox.commit(talk, Commit(fence="f1", next_fence="f2", consumed=1))).state == "refused"
    assert not await mailbox.renew(talk, "f1")
    assert (await own(talk, "f3")).tries == 2


async def test_a_living_owner_is_left_alone(
    mailbox: Mailbox, conversation: Starts, say: Say, own: Own, shift: Shifts, state: State
) -> None:
    talk = await conversation()
    await say(talk)
    await own(talk)
    await shift(talk, due=-1)
    assert await mailbox.sweep(0, "me") == 0
    assert await state(talk) == "running"


async def test_a_call_that_was_not_started_and_lost_its_job_is_enqueued_again(
    mailbox: Mailbox, redis: Raw, conversation: Starts, say: Say, own: Own, shift: Shifts
) -> None:
    talk = await conversation()
    call_id = await waiting(talk, mailbox, say, own)
    await redis.delete(keys.integration_queue(0))
    await shift(talk, due=-1)
    assert await mailbox.sweep(0, "me") == 1
    assert await redis.zcard(keys.integration_queue(0)) == 1
    assert (await mailbox.start(call_id, "claim")).outcome == "go"


async def test_a_call_that_nobody_takes_is_lost_five_seconds_after_its_deadline(
    mailbox: Mailbox, redis: Raw, conversation: Starts, say: Say, own: Own, shift: Shifts, state: State
) -> None:
    talk = await conversation()
    call_id = await waiting(talk, mailbox, say, own)
    await shift(talk, due=-1, call_deadline=-4000)
    assert await mailbox.sweep(0, "me") == 0
    assert await state(talk) == "waiting"
    await shift(talk, due=-1, call_deadline=-5001)
    assert await mailbox.sweep(0, "me") == 1
    assert (await own(talk, "f3")).result is not None
    assert await redis.zcard(keys.integration_queue(0)) == 0
    assert (await mailbox.start(call_id, "claim")).outcome == "refused"


async def test_a_started_call_is_lost_five_seconds_after_its_deadline(
    mailbox: Mailbox, redis: Raw, conversation: Starts, say: Say, own: Own, shift: Shifts, state: State
) -> None:
    talk = await conversation()
    call_id = await waiting(talk, mailbox, say, own)
    await mailbox.start(call_id, "claim")
    await shift(talk, due=-1, call_deadline=-4000)
    assert await mailbox.sweep(0, "me") == 0
    assert await state(talk) == "waiting"
    await shift(talk, due=-1, call_deadline=-5001)
    assert await mailbox.sweep(0, "me") == 1
    batch = await own(talk, "f3")
    assert batch.result is not None
    outcome = msgspec.json.decode(batch.result.body, type=CallOutcome)
    assert (outcome.call_id, outcome.failure, outcome.status) == (call_id, "lost", 0)
    assert not await mailbox.result(call_id, b"at last")
    assert not await redis.exists(keys.call(call_id))


async def test_conversations_that_are_idle_or_gone_leave_due(
    mailbox: Mailbox, redis: Raw, conversation: Starts, shift: Shifts
) -> None:
    idle, gone = await conversation(), keys.new_conversation_id(0)
    await shift(idle, due=-1)
    await shift(gone, due=-1)
    assert await mailbox.sweep(0, "me") == 0
    assert await redis.zcard(keys.due(0)) == 0


async def test_a_sweep_sees_to_so_many_and_the_oldest_first(
    mailbox: Mailbox, redis: Raw, conversation: Starts, say: Say, shift: Shifts
) -> None:
    talks = [await conversation() for _ in range(5)]
    for age, talk in enumerate(talks):
        await say(talk)
        await shift(talk, due=-1000 * (age + 1))
    await redis.delete(keys.dialog_queue(0))
    assert await mailbox.sweep(0, "me", limit=2) == 2
    jobs = await redis.zrange(keys.dialog_queue(0), 0, -1)
    assert {job.decode().split(":")[2] for job in jobs} == set(talks[-2:])
