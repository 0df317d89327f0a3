"""What a shard has to do and holds, asked in one round trip that reads only: for metrics and `botlane status`."""

import msgspec
from arq.connections import ArqRedis

from shared.queue import scripts
from shared.store import keys
from shared.store.connection import translated


class ShardFigures(msgspec.Struct, frozen=True, rename="camel"):
    """Counts of one shard; the oldest are milliseconds for which the first job has been due, 0 when none is.

    `busy` conversations wait for a worker, are in a turn, or have a call; `alive` is right but for those that expired
    in the last seconds.
    """

    waiting: int
    oldest_ms: int
    calls_waiting: int
    oldest_call_ms: int
    calls_in_flight: int
    busy: int
    dead: int
    alive: int


class Figures:
    """Asks for them. Raises RedisUnreachable."""

    def __init__(self, redis: ArqRedis) -> None:
        self._script = redis.register_script(scripts.source("figures"))

    async def of(self, shard: int) -> ShardFigures:
        """Return the figures of one shard."""
        names = [
            keys.dialog_queue(shard),
            keys.integration_queue(shard),
            keys.due(shard),
            keys.dead(shard),
            keys.alive(shard),
        ]
        with translated():
            return ShardFigures(*await self._script(keys=names))
