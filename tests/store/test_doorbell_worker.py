"""The doorbell worker on a real server: what it runs, how often, and what it leaves behind."""

import asyncio
from typing import Any

from arq import Retry
from arq.connections import ArqRedis
from arq.worker import Worker, func

from shared.queue import jobs
from shared.queue.claims import Claims
from shared.queue.worker import DoorbellWorker
from shared.store.connection import connect
from shared.store.keys import dialog_queue
from tests.store.doorbell_parts import QUEUE, drained, enqueue, gate, recorder, until, working

OTHER_QUEUE = dialog_queue(1)
PATIENT_MS = 60_000  # a lease that no pause of a busy machine ends


async def test_a_rung_job_runs_once_and_leaves_nothing_behind(valkey_server: str, redis: ArqRedis) -> None:
    seen, job = recorder()
    async with working(valkey_server, job, idle_poll_seconds=60):
        await enqueue(redis, "a")
        await until(lambda: seen)
        await enqueue(redis, "b")
        await until(lambda: len(seen) == 2)
        await until(lambda: drained(redis))
    assert seen == ["a", "b"]
    assert await redis.keys("*") == []


async def test_a_lost_bell_token_costs_no_more_than_the_idle_poll(valkey_server: str, redis: ArqRedis) -> None:
    seen, job = recorder()
    async with working(valkey_server, job, idle_poll_seconds=0.05):
        await enqueue(redis, "quiet", ring=False)
        await until(lambda: seen)


async def test_one_worker_drains_the_queues_of_all_shards(valkey_server: str, redis: ArqRedis) -> None:
    seen, job = recorder()
    async with working(valkey_server, job, queues=[QUEUE, OTHER_QUEUE], idle_poll_seconds=60):
        await until(lambda: True)
        for number in range(20):
            await enqueue(redis, f"{number}", queue=(QUEUE, OTHER_QUEUE)[number % 2])
        await until(lambda: len(seen) == 20)
    assert sorted(seen, key=int) == [str(number) for number in range(20)]


async def test_two_workers_run_every_job_exactly_once(valkey_server: str, redis: ArqRedis) -> None:
    seen, job = recorder()
    patient = {"max_jobs": 5, "lease_ms": PATIENT_MS}
    async with working(valkey_server, job, **patient), working(valkey_server, job, **patient):
        await asyncio.gather(*(enqueue(redis, f"{number}") for number in range(200)))
        await until(lambda: len(seen) >= 200)
        await until(lambda: drained(redis))
    assert sorted(seen, key=int) == [str(number) for number in range(200)]


async def test_a_backlog_is_drained_without_bells_and_within_max_jobs(valkey_server: str, redis: ArqRedis) -> None:
    running, most, done = 0, 0, 0

    async def job(ctx: dict[str, Any], argument: str) -> None:
        nonlocal running, most, done
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1
        done += 1

    for number in range(100):
        await enqueue(redis, f"{number}", ring=False)
    async with working(valkey_server, job, max_jobs=7, idle_poll_seconds=60):
        await until(lambda: done == 100)
    assert 0 < most <= 7


async def test_a_failure_seen_by_a_stale_worker_leaves_the_new_owners_job_alone(
    valkey_server: str, redis: ArqRedis
) -> None:
    job_id = await enqueue(redis, "a")
    [stale] = await Claims(redis).take(QUEUE, 1)
    await redis.set(f"arq:in-progress:{job_id}", "somebody else")
    worker = DoorbellWorker([func(recorder()[1])], queues=[QUEUE], redis_pool=redis, handle_signals=False)
    worker._held[job_id] = stale
    await worker.finish_failed_job(job_id, None)
    assert await redis.exists(f"arq:job:{job_id}") == 1
    assert await redis.zscore(QUEUE, job_id) is not None


async def test_a_job_whose_payload_is_gone_is_dropped(valkey_server: str, redis: ArqRedis) -> None:
    seen, job = recorder()
    job_id = await enqueue(redis, "a", ring=False)
    await redis.delete(f"arq:job:{job_id}")
    async with working(valkey_server, job):
        await until(lambda: drained(redis))
    assert seen == []


async def test_a_long_job_keeps_its_claim_while_it_runs(valkey_server: str, redis: ArqRedis) -> None:
    started, opened, job = gate()
    ends: set[float | None] = set()

    async def moved_on_and_on() -> bool:
        ends.add(await redis.zscore(QUEUE, job_id))
        return len(ends) > 5

    eager = {"lease_ms": PATIENT_MS, "renew_seconds": 0.05, "idle_poll_seconds": 0.05}
    async with working(valkey_server, job, **eager), working(valkey_server, job, **eager):
        job_id = await enqueue(redis, "slow")
        await until(lambda: started)
        await until(moved_on_and_on)
        opened.set()
        await until(lambda: drained(redis))
    assert started == ["slow"]


async def test_a_job_taken_over_by_another_worker_is_cancelled(valkey_server: str, redis: ArqRedis) -> None:
    cancelled: list[str] = []

    async def job(ctx: dict[str, Any], argument: str) -> None:
        try:
            await redis.set(f"arq:in-progress:{ctx['job_id']}", "somebody else")
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append(argument)
            raise

    async with working(valkey_server, job, renew_seconds=0.02):
        job_id = await enqueue(redis, "a")
        await until(lambda: cancelled)
    assert await redis.zscore(QUEUE, job_id) is not None
    assert await redis.get(f"arq:in-progress:{job_id}") == b"somebody else"


async def test_a_retry_runs_again_after_its_delay(valkey_server: str, redis: ArqRedis) -> None:
    tries: list[int] = []

    async def job(ctx: dict[str, Any], argument: str) -> None:
        tries.append(ctx["job_try"])
        if len(tries) < 3:
            raise Retry(defer=0.01)

    async with working(valkey_server, job, idle_poll_seconds=0.02):
        await enqueue(redis, "a")
        await until(lambda: drained(redis))
    assert tries == [1, 2, 3]


async def test_a_job_that_raises_is_dropped_and_the_worker_goes_on(valkey_server: str, redis: ArqRedis) -> None:
    seen: list[str] = []

    async def job(ctx: dict[str, Any], argument: str) -> None:
        seen.append(argument)
        if argument == "bad":
            raise ValueError(argument)

    async with working(valkey_server, job):
        await enqueue(redis, "bad")
        await enqueue(redis, "good")
        await until(lambda: len(seen) == 2)
        await until(lambda: drained(redis))
    assert await redis.keys("arq:*") == []


async def test_a_stock_arq_worker_drains_the_same_queue(valkey_server: str, redis: ArqRedis) -> None:
    seen, job = recorder()
    await enqueue(redis, "a")
    await enqueue(redis, "b")
    stock = Worker(
        [func(job, name=jobs.ADVANCE)],
        queue_name=QUEUE,
        redis_pool=connect(valkey_server),
        burst=True,
        poll_delay=0.01,
        handle_signals=False,
        **jobs.worker_settings(),
    )
    await stock.async_run()
    await stock.pool.aclose()
    assert seen == ["a", "b"]
    assert await redis.keys("arq:job*") == []
