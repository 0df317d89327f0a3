"""Which origins still use the checksum of Web View calls, which anybody can make who knows two ids (docs/web-view.md).

INGEST notes it, for 30 days, of at most 100 origins in each shard; those beyond them are counted together.
"""

from collections.abc import Awaitable
from typing import cast

import msgspec
from arq.connections import ArqRedis

from shared.store import keys
from shared.store.connection import translated

OTHERS = "*"


class OriginUse(msgspec.Struct, frozen=True):
    """One origin ("" where callers named none, `*` for those beyond the limit): first and last use in ms, and calls."""

    origin: str
    first: int
    last: int
    calls: int


async def read_origins(redis: ArqRedis, bot_id: str, shards: int) -> list[OriginUse]:
    """Return the origins that use the checksum for a bot, the last one first. Raises RedisUnreachable."""
    found: dict[str, OriginUse] = {}
    for shard in range(shards):
        with translated():
            stored = await cast("Awaitable[dict[bytes, bytes]]", redis.hgetall(keys.origins(shard, bot_id)))
        for name, value in stored.items():
            use = _read(name.decode(), value)
            found[use.origin] = _together(found[use.origin], use) if use.origin in found else use
    return sorted(found.values(), key=lambda use: -use.last)


def _read(origin: str, value: bytes) -> OriginUse:
    first, last, calls = value.split(b"|")
    return OriginUse(origin, int(first), int(last), int(calls))


def _together(one: OriginUse, other: OriginUse) -> OriginUse:
    return OriginUse(one.origin, min(one.first, other.first), max(one.last, other.last), one.calls + other.calls)
