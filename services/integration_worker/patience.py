"""Waiting for Redis: a call that was made is worth more than a quick end of its job."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from shared.store.connection import RedisUnreachable

T = TypeVar("T")

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.1, 1.0


async def patiently(ask: Callable[[], Awaitable[T]], seconds: float) -> T:
    """Ask until Redis answers; raise its RedisUnreachable after so many seconds."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    pause = FIRST_PAUSE_SECONDS
    while True:
        try:
            return await ask()
        except RedisUnreachable:
            if loop.time() + pause > until:
                raise
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
