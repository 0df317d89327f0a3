"""The server's append-only file, written anew: until then it holds the commands that wrote what was deleted since."""

import asyncio
from typing import Any

from arq.connections import ArqRedis
from redis.exceptions import ResponseError

from shared.store.connection import translated

PATIENCE = 60.0
_PAUSE = 0.05
_BUSY = ("aof_rewrite_in_progress", "aof_rewrite_scheduled")


async def rewrite_file(redis: ArqRedis, patience: float = PATIENCE) -> str:
    """Have the file rewritten and wait for that, at most `patience` seconds. Raises RedisUnreachable.

    Returns `rewritten`, `none` (the server keeps no such file), `refused` (it does not let us, or could not), or
    `waited` (it has not finished).
    """
    client: Any = redis  # the library says nothing of what this command answers
    try:
        async with asyncio.timeout(patience):
            if not (await _persistence(redis)).get("aof_enabled"):
                return "none"
            await _quiet(redis)  # one that has begun before may hold what was deleted since
            with translated():
                await client.bgrewriteaof()
            return "rewritten" if (await _quiet(redis)).get("aof_last_bgrewrite_status") == "ok" else "refused"
    except TimeoutError:
        return "waited"
    except ResponseError:
        return "refused"


async def _quiet(redis: ArqRedis) -> dict[str, Any]:
    """Wait until no rewriting goes on, and return what the server says of itself then."""
    while True:
        told = await _persistence(redis)
        if not any(told.get(name) for name in _BUSY):
            return told
        await asyncio.sleep(_PAUSE)


async def _persistence(redis: ArqRedis) -> dict[str, Any]:
    with translated():
        found: dict[str, Any] = await redis.info("persistence")
    return found
