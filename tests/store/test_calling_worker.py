"""The worker of calls on a real server: jobs are known by their ids, and many end together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from arq import Retry
from arq.connections import ArqRedis

from shared.queue import jobs
from shared.queue.calling import CallingWorker
from shared.queue.direct import Direct
from shared.store.connection import connect
from shared.store.keys import bell, integration_queue, tag
from tests.store.doorbell_parts import push, until

QUEUE = integration_queue(0)


async def enqueue(redis: ArqRedis, argument: str) -> str:
    """Do what COMMIT does for a call."""
    job_id = f"{jobs.CALL}:{tag(0)}:{argument}:1"
    await redis.set(f"arq:job:{job_id}", jobs.call_payload(argument), px=jobs.PAYLOAD_TTL_MS)
    await redis.zadd(QUEUE, {job_id: 0})
    await push(redis, bell(QUEUE), job_id)
    return job_id


@asynccontextmanager
async def working(url: str, direct: Direct, **settings: Any) -> AsyncIterator[None]:
    async def call(ctx: dict[Any, Any], call_id: str) -> None:
        await direct(ctx, call_id)

    worker = CallingWorker(
        [call], direct=direct, queues=[QUEUE], redis_pool=connect(url), handle_signals=False, **settings
    )
    serving = asyncio.create_task(worker.serve())
    try:
        yield
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def empty(redis: ArqRedis) -> bool:
    return not await redis.keys("*")


async def test_every_call_is_made_once_and_leaves_nothing_behind(valkey_server: str, redis: ArqRedis) -> None:
    made: list[str] = []

    async def direct(_: dict[Any, Any], call_id: str) -> None:
        made.append(call_id)
        await asyncio.sleep(0)

    async with working(valkey_server, direct), working(valkey_server, direct):
        await asyncio.gather(*(enqueue(redis, f"{number}") for number in range(100)))
        await until(lambda: empty(redis))
    assert sorted(made, key=int) == [str(number) for number in range(100)]


async def test_a_call_that_asks_for_it_is_made_again_after_its_delay(valkey_server: str, redis: ArqRedis) -> None:
    made: list[float] = []

    async def direct(_: dict[Any, Any], __: str) -> None:
        made.append(asyncio.get_running_loop().time())
        if len(made) == 1:
            raise Retry(defer=0.1)

    async with working(valkey_server, direct, idle_poll_seconds=0.02):
        await enqueue(redis, "a")
        await until(lambda: len(made) == 2)
        await until(lambda: empty(redis))
    assert made[1] - made[0] >= 0.09


async def test_a_call_that_raises_leaves_the_queue_and_the_worker_goes_on(valkey_server: str, redis: ArqRedis) -> None:
    made: list[str] = []

    async def direct(_: dict[Any, Any], call_id: str) -> None:
        made.append(call_id)
        if call_id == "bad":
            raise ValueError

    async with working(valkey_server, direct):
        for call_id in ("bad", "good"):
            await enqueue(redis, call_id)
            await until(lambda: empty(redis))
    assert made == ["bad", "good"]


async def test_a_call_taken_over_by_another_worker_is_stopped(valkey_server: str, redis: ArqRedis) -> None:
    ended: list[str] = []

    async def direct(_: dict[Any, Any], __: str) -> None:
        try:
            ended.append("begun")
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("stopped")
            raise

    async with working(valkey_server, direct, renew_seconds=0.02):
        job_id = await enqueue(redis, "a")
        await until(lambda: ended == ["begun"])
        await redis.set(f"arq:in-progress:{job_id}", "another's")
        await until(lambda: ended == ["begun", "stopped"])
        assert await redis.get(f"arq:in-progress:{job_id}") == b"another's"


async def test_a_call_that_is_cut_off_is_another_workers_at_once(valkey_server: str, redis: ArqRedis) -> None:
    begun: list[str] = []

    async def direct(_: dict[Any, Any], call_id: str) -> None:
        begun.append(call_id)
        if len(begun) == 1:
            await asyncio.Event().wait()

    async with working(valkey_server, direct, job_completion_wait=0):
        await enqueue(redis, "a")
        await until(lambda: begun)
    async with working(valkey_server, direct, lease_ms=60_000, idle_poll_seconds=60):
        await until(lambda: empty(redis))
    assert begun == ["a", "a"]
