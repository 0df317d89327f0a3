"""Parts of the tests of queues: enqueueing like the mailbox, a worker that serves while a block lasts."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

from arq.connections import ArqRedis
from arq.worker import func

from shared.queue import jobs
from shared.queue.worker import DoorbellWorker
from shared.store.connection import connect
from shared.store.keys import bell, dialog_queue

QUEUE = dialog_queue(0)

Job = Any  # a coroutine function; arq's protocol for it names no arguments


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(60):
        while True:
            met = condition()
            if asyncio.iscoroutine(met):
                met = await met
            if met:
                return
            await asyncio.sleep(0.005)


async def enqueue(
    redis: ArqRedis, argument: str, *, queue: str = QUEUE, ring: bool = True, payload: bytes = b""
) -> str:
    """Do what the mailbox's scripts do to a queue."""
    tag = queue.split(":")[1]
    job_id = f"advance:{tag}:{argument}"
    seconds, micros = await redis.time()
    await redis.set(f"arq:job:{job_id}", payload or jobs.advance_payload(argument), px=jobs.PAYLOAD_TTL_MS)
    await redis.zadd(queue, {job_id: seconds * 1000 + micros // 1000})
    if ring:
        await push(redis, bell(queue), job_id)
    return job_id


@asynccontextmanager
async def working(url: str, job: Job, **settings: Any) -> AsyncIterator[DoorbellWorker]:
    settings = {"queues": [QUEUE], "handle_signals": False, **settings}
    pool = connect(url)
    worker = DoorbellWorker([func(job, name=jobs.ADVANCE)], redis_pool=pool, **settings)
    serving = asyncio.create_task(worker.serve())
    try:
        yield worker
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


def recorder() -> tuple[list[str], Job]:
    seen: list[str] = []

    async def record(ctx: dict[str, Any], argument: str) -> None:
        seen.append(argument)

    return seen, record


def gate() -> tuple[list[str], asyncio.Event, Job]:
    started: list[str] = []
    opened = asyncio.Event()

    async def wait(ctx: dict[str, Any], argument: str) -> None:
        started.append(argument)
        await opened.wait()

    return started, opened, wait


async def drained(redis: ArqRedis) -> bool:
    return int(await redis.zcard(QUEUE)) == 0


async def lapsed(redis: ArqRedis, job_id: str) -> bool:
    return not await redis.exists(f"arq:in-progress:{job_id}")


async def tokens(redis: ArqRedis) -> int:
    return await cast("Awaitable[int]", redis.llen(bell(QUEUE)))


async def push(redis: ArqRedis, key: str, value: str) -> None:
    await cast("Awaitable[int]", redis.rpush(key, value))
