"""Work that waits: inboxes with messages, or jobs that do nothing, put into Redis before a worker may take them."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Iterable, Iterator
from contextlib import contextmanager

import msgspec
from arq.connections import ArqRedis

from services.settings import Settings
from shared.dialog.events import ConsumerMessage
from shared.queue import jobs
from shared.queue.mailbox import Mailbox
from shared.queue.records import NewConversation
from shared.store import keys
from tests.bench.talk import PATIENCE_SECONDS, TEXTS

NOOP = "noop"
_AT_ONCE = 50
_POLL_SECONDS = 0.005
_ECHO = msgspec.json.encode({"from": "consumer", "type": "text", "text": "…"})


@contextmanager
def stopped(pids: Iterable[int]) -> Iterator[None]:
    """Hold processes still while the block runs."""
    held = list(pids)
    for pid in held:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in held:
            os.kill(pid, signal.SIGCONT)


async def fill_inboxes(
    redis: ArqRedis, settings: Settings, bot_id: str, conversations: int, texts: Iterable[str] = TEXTS[:1]
) -> None:
    """Create conversations with these messages waiting in each."""
    mailbox = Mailbox(
        redis,
        conversation_ttl=settings.conversation_ttl,
        inbox_limit=settings.inbox_limit,
        trace_ttl=settings.trace_ttl,
    )
    events = [msgspec.json.encode(ConsumerMessage(text)) for text in texts]

    async def one() -> None:
        new = NewConversation(keys.new_conversation_id(0), bot_id, "consumer", "lp_web")
        await mailbox.create(new)
        for number, event in enumerate(events):
            await mailbox.ingest_message(new.id, str(number), event, _ECHO)

    await _in_parallel(one() for _ in range(conversations))


async def fill_jobs(redis: ArqRedis, count: int) -> None:
    """Enqueue jobs of the function `noop` on the dialog queue, as the mailbox enqueues its own."""
    queue = keys.dialog_queue(0)
    for start in range(0, count, 500):
        async with redis.pipeline(transaction=False) as pipe:
            for number in range(start, min(start + 500, count)):
                now = int(time.time() * 1000)
                job_id = f"{NOOP}:{keys.tag(0)}:{now}:{number}"
                job = jobs.serialize({"t": None, "f": NOOP, "a": [job_id], "k": {}, "et": now})
                pipe.set(f"arq:job:{job_id}", job, px=jobs.PAYLOAD_TTL_MS)
                pipe.zadd(queue, {job_id: now})
                pipe.rpush(keys.bell(queue), job_id)
            await pipe.execute()


async def drained(redis: ArqRedis, *places: str) -> float:
    """Return the seconds until these sorted sets are empty. Raises TimeoutError."""
    began = time.perf_counter()
    async with asyncio.timeout(PATIENCE_SECONDS):
        for place in places:
            while await redis.zcard(place):
                await asyncio.sleep(_POLL_SECONDS)
    return time.perf_counter() - began


async def _in_parallel(work: Iterable[Awaitable[None]]) -> None:
    gate = asyncio.Semaphore(_AT_ONCE)

    async def gated(one: Awaitable[None]) -> None:
        async with gate:
            await one

    await asyncio.gather(*map(gated, work))
