"""Claims on jobs: due times, leases, bell tokens, and tokens that Redis compares."""

from collections.abc import Awaitable
from typing import Any, cast

import pytest
from arq.connections import ArqRedis

from shared.queue.claims import Claims
from shared.queue.jobs import BELL_LIMIT
from shared.store.keys import bell
from tests.store.doorbell_parts import QUEUE, enqueue, lapsed, tokens, until


async def test_a_scan_pops_as_many_bell_tokens_as_it_claims(redis: ArqRedis) -> None:
    for number in range(10):
        await enqueue(redis, f"{number}")
    claims = Claims(redis)
    assert len(await claims.take(QUEUE, 4)) == 4
    assert await tokens(redis) == 6
    await cast("Awaitable[Any]", redis.lpop(bell(QUEUE)))
    assert len(await claims.take(QUEUE, 4, rung=1)) == 4
    assert await tokens(redis) == 2


async def test_a_claimed_job_is_due_again_at_the_end_of_its_lease(redis: ArqRedis) -> None:
    job_id = await enqueue(redis, "a")
    [claim] = await Claims(redis, lease_ms=60_000).take(QUEUE, 10)
    score = await redis.zscore(QUEUE, job_id)
    assert score is not None
    assert claim.score + 60_000 <= score < claim.score + 60_000 + 20_000
    assert await redis.pttl(f"arq:in-progress:{job_id}") <= 60_000
    assert await Claims(redis).take(QUEUE, 10) == []


async def test_jobs_that_a_stock_worker_runs_do_not_hide_those_behind_them(redis: ArqRedis) -> None:
    for number in range(250):
        job_id = await enqueue(redis, f"{number}")
        if number < 240:
            await redis.set(f"arq:in-progress:{job_id}", "1")
    assert len(await Claims(redis).take(QUEUE, 16)) == 10


async def test_a_job_that_is_not_due_yet_is_not_claimed(redis: ArqRedis) -> None:
    job_id = await enqueue(redis, "later")
    await redis.zincrby(QUEUE, 60_000, job_id)
    assert await Claims(redis).take(QUEUE, 10) == []


@pytest.mark.parametrize("end", ["finish", "give_back"])
async def test_a_stale_token_cannot_end_a_job_of_its_new_owner(redis: ArqRedis, end: str) -> None:
    job_id = await enqueue(redis, "a")
    claims = Claims(redis, lease_ms=1)
    [stale] = await claims.take(QUEUE, 1)
    await until(lambda: lapsed(redis, job_id))
    owner: list[Any] = []
    while not owner:
        owner = await Claims(redis).take(QUEUE, 1)
    before = await redis.zscore(QUEUE, job_id)
    assert not await getattr(claims, end)(stale)
    assert await redis.zscore(QUEUE, job_id) == before
    assert await redis.exists(f"arq:job:{job_id}", f"arq:in-progress:{job_id}") == 2
    assert await claims.renew(QUEUE, [stale]) == [job_id]
    assert await claims.renew(QUEUE, owner) == []


async def test_a_lapsed_claim_that_nobody_took_is_renewed(redis: ArqRedis) -> None:
    job_id = await enqueue(redis, "a")
    claims = Claims(redis, lease_ms=1)
    [claim] = await claims.take(QUEUE, 1)
    await until(lambda: lapsed(redis, job_id))
    assert await Claims(redis).renew(QUEUE, [claim]) == []
    assert await Claims(redis).take(QUEUE, 1) == []
    assert await Claims(redis).finish(claim)
    assert await Claims(redis).renew(QUEUE, [claim]) == [job_id]


async def test_a_job_that_runs_is_put_back_when_its_queue_was_lost(redis: ArqRedis) -> None:
    job_id = await enqueue(redis, "a")
    claims = Claims(redis, lease_ms=60_000)
    [claim] = await claims.take(QUEUE, 1)
    await redis.delete(QUEUE)
    assert await claims.renew(QUEUE, [claim]) == []
    score = await redis.zscore(QUEUE, job_id)
    assert score is not None
    assert score > claim.score + 50_000
    assert await claims.take(QUEUE, 1) == []
    assert await claims.finish(claim)


async def test_a_job_that_was_taken_off_with_its_queue_or_lost_its_payload_is_not_put_back(redis: ArqRedis) -> None:
    await enqueue(redis, "a")
    claims = Claims(redis, lease_ms=60_000)
    [claim] = await claims.take(QUEUE, 1)
    await redis.delete(QUEUE, f"arq:job:{claim.job_id}")
    assert await claims.renew(QUEUE, [claim]) == [claim.job_id]
    await enqueue(redis, "b")
    [other] = await claims.take(QUEUE, 1)
    await redis.delete(QUEUE, f"arq:in-progress:{other.job_id}")
    assert await claims.renew(QUEUE, [other]) == [other.job_id]
    assert await redis.zcard(QUEUE) == 0


async def test_a_job_given_back_rings_a_bell_that_never_grows_beyond_its_cap(redis: ArqRedis) -> None:
    await enqueue(redis, "a")
    [claim] = await Claims(redis).take(QUEUE, 1)
    await cast("Awaitable[int]", redis.rpush(bell(QUEUE), *["token"] * BELL_LIMIT))
    assert await Claims(redis).give_back(claim)
    assert await tokens(redis) == BELL_LIMIT
    assert len(await Claims(redis).take(QUEUE, 1)) == 1


async def test_a_job_given_back_for_later_waits_in_silence(redis: ArqRedis) -> None:
    job_id = await enqueue(redis, "a")
    [claim] = await Claims(redis).take(QUEUE, 1)
    assert await Claims(redis).give_back(claim, defer_ms=60_000)
    assert await tokens(redis) == 0
    assert await redis.exists(f"arq:in-progress:{job_id}") == 0
    assert await Claims(redis).take(QUEUE, 1) == []


async def test_ending_a_job_twice_is_refused_the_second_time(redis: ArqRedis) -> None:
    await enqueue(redis, "a")
    [claim] = await Claims(redis).take(QUEUE, 1)
    assert await Claims(redis).finish(claim)
    assert not await Claims(redis).finish(claim)
    assert not await Claims(redis).give_back(claim)
