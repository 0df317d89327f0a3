"""Each program says that it runs, for `botlane status`: one short script every two seconds."""

import asyncio
import contextlib
import importlib.metadata
import os
import socket
import time
from collections.abc import AsyncIterator, Callable

import msgspec
import structlog

from services.settings import Settings
from shared.queue.programs import BEAT_SECONDS, Programs, Running
from shared.store.connection import RedisUnreachable, connect

LEAVE_SECONDS = 0.3

log = structlog.get_logger()


@contextlib.asynccontextmanager
async def heartbeat(settings: Settings, program: str, work: Callable[[], dict[str, int]]) -> AsyncIterator[None]:
    """Say that `program` runs for as long as the block does; `work` counts what it has to do now.

    The connection is its own: a program whose others are all in use still lives.
    """
    redis = connect(settings.redis_url, max_connections=2, retries=0)
    programs = Programs(redis)
    running = Running(
        program=program,
        host=socket.gethostname(),
        pid=os.getpid(),
        since=int(time.time()),
        version=importlib.metadata.version("botlane"),
        shards=settings.shards,
        ops=settings.ops,
    )
    beating = asyncio.create_task(_beat(programs, running, work))
    try:
        yield
    finally:
        while not beating.done():
            beating.cancel()  # more than once: redis-py loses a cancellation that arrives while it connects
            await asyncio.wait({beating}, timeout=0.1)
        with contextlib.suppress(RedisUnreachable, TimeoutError):
            async with asyncio.timeout(LEAVE_SECONDS):
                await programs.leave(running)
        await redis.aclose()


async def _beat(programs: Programs, running: Running, work: Callable[[], dict[str, int]]) -> None:
    while True:
        try:
            await programs.beat(msgspec.structs.replace(running, work=work()))
        except RedisUnreachable:
            pass
        except Exception:
            log.exception("a heartbeat failed")
        await asyncio.sleep(BEAT_SECONDS)
