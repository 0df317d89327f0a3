"""Which programs run: each says so every two seconds, and is forgotten six seconds after it last did."""

from collections.abc import Awaitable
from typing import cast

import msgspec
from arq.connections import ArqRedis

from shared.queue import scripts
from shared.store import keys
from shared.store.connection import translated

BEAT_SECONDS, LIFE_MS = 2.0, 6000


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """What a program says of itself: its name, where it runs, since when (seconds since the epoch), and its work now.

    `work` are counts by word (`jobs`, `turn processes`, `streams`, …).
    """

    program: str
    host: str
    pid: int
    since: int
    version: str
    shards: int = 1
    ops: str = ""
    work: dict[str, int] = {}

    @property
    def id(self) -> str:
        """What tells it from every other."""
        return f"{self.program}:{self.host}:{self.pid}"


class Programs:
    """Says and asks which programs run. Raises RedisUnreachable."""

    def __init__(self, redis: ArqRedis) -> None:
        self._redis = redis
        self._beat = redis.register_script(scripts.source("beat"))

    async def beat(self, running: Running) -> None:
        """Say that a program runs."""
        places = [keys.programs(), keys.program(running.id)]
        with translated():
            await self._beat(keys=places, args=[running.id, msgspec.json.encode(running), LIFE_MS])

    async def leave(self, running: Running) -> None:
        """Say that it runs no more."""
        with translated():
            await self._redis.zrem(keys.programs(), running.id)
            await self._redis.delete(keys.program(running.id))

    async def listed(self) -> list[Running]:
        """Return the programs that run, by name and place."""
        with translated():
            ids = await self._redis.zrange(keys.programs(), 0, -1)
            if not ids:
                return []
            names = [keys.program(found.decode()) for found in ids]
            said = await cast("Awaitable[list[bytes | None]]", self._redis.mget(names))
        found = [msgspec.json.decode(one, type=Running) for one in said if one is not None]
        return sorted(found, key=lambda running: (running.program, running.host, running.pid))
