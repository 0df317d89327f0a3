"""Figures of a shard: what waits and for how long, what is under way, and how many conversations there are."""

from arq.connections import ArqRedis

from shared.queue.claims import Claims
from shared.queue.figures import Figures, ShardFigures
from shared.queue.mailbox import Mailbox
from shared.queue.records import CallRecord, Commit
from shared.store import keys
from tests.store.conftest import Own, Raw, Say, Starts

HOUR = 3_600_000


async def test_a_shard_without_anything_counts_nothing(redis: ArqRedis) -> None:
    assert await Figures(redis).of(0) == ShardFigures(0, 0, 0, 0, 0, 0, 0, 0)


async def test_the_age_of_the_oldest_job_counts_from_when_it_came_due(
    redis: Raw, mailbox: Mailbox, conversation: Starts, say: Say
) -> None:
    for _ in range(3):
        await say(await conversation())
    [oldest, *_] = await redis.zrange(keys.dialog_queue(0), 0, -1)
    await redis.zincrby(keys.dialog_queue(0), -7000, oldest)
    found = await Figures(redis).of(0)
    assert (found.waiting, found.busy, found.alive) == (3, 3, 3)
    assert 7000 <= found.oldest_ms < 30_000


async def test_what_a_worker_has_taken_does_not_wait(redis: ArqRedis, conversation: Starts, say: Say) -> None:
    await say(await conversation())
    [claim] = await Claims(redis).take(keys.dialog_queue(0), 10)
    found = await Figures(redis).of(0)
    assert (found.waiting, found.oldest_ms, found.busy) == (0, 0, 1)
    await redis.zincrby(keys.dialog_queue(0), -60_000, claim.job_id)  # its worker died: the claim is over
    assert (await Figures(redis).of(0)).waiting == 1


async def test_calls_wait_and_are_under_way(
    redis: ArqRedis, mailbox: Mailbox, conversation: Starts, say: Say, own: Own
) -> None:
    for _ in range(2):
        talk = await conversation()
        await say(talk)
        await own(talk, f"fence of {talk}")
        call = CallRecord(f"{talk}.1", "api", "v", b"", 10_000, 20_000)
        await mailbox.commit(talk, Commit(fence=f"fence of {talk}", next_fence="f2", consumed=1, call=call))
    await Claims(redis).take(keys.integration_queue(0), 1)
    found = await Figures(redis).of(0)
    assert (found.calls_waiting, found.calls_in_flight) == (1, 1)


async def test_a_conversation_is_alive_until_it_expires(
    redis: Raw, mailbox: Mailbox, conversation: Starts, say: Say
) -> None:
    kept, left = await conversation(), await conversation()
    await say(kept)
    assert await redis.zcard(keys.alive(0)) == 2
    for talk in (kept, left):
        await redis.zincrby(keys.alive(0), -HOUR - 1000, f"{talk}|user")  # the hour without a message is over
    await redis.delete(keys.conv(left))
    await mailbox.sweep(0, "me")
    assert (await Figures(redis).of(0)).alive == 1
    assert (
        await redis.zscore(keys.alive(0), f"{kept}|user") - await redis.pttl(keys.conv(kept)) > HOUR
    )  # looked at again then


async def test_one_sweep_looks_at_a_thousand_that_may_have_expired(redis: Raw, mailbox: Mailbox) -> None:
    await redis.zadd(keys.alive(0), {f"0-{number:032x}": number for number in range(1500)})
    await mailbox.sweep(0, "me")
    assert await redis.zcard(keys.alive(0)) == 500
    await mailbox.sweep(0, "me")
    assert await redis.exists(keys.alive(0)) == 0
