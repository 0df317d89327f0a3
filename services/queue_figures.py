"""The numbers of the queues, which every program exports alike: whoever lives tells how long others have waited.

They are asked for when somebody collects numbers, at most every two seconds: nobody who collects costs nothing.
"""

import asyncio
import time

from arq.connections import ArqRedis
from prometheus_client import Gauge

from shared.queue.figures import Figures, ShardFigures
from shared.store.connection import RedisUnreachable

EVERY_SECONDS, PATIENCE_SECONDS = 2.0, 2.0
_ALIKE = " (every program exports the same: take the max)"

REACHABLE = Gauge("botlane_redis_reachable", "1 when this program reached Redis for these numbers, else 0")
WAITING = Gauge("botlane_queue_waiting", "Conversations or calls that wait for a worker" + _ALIKE, ["queue", "shard"])
OLDEST = Gauge(
    "botlane_queue_oldest_seconds", "For how long the oldest of them has waited, 0 if none" + _ALIKE, ["queue", "shard"]
)
BUSY = Gauge("botlane_conversations_busy", "Conversations that wait, are in a turn or have a call" + _ALIKE, ["shard"])
ALIVE = Gauge("botlane_conversations_alive", "Conversations that have not expired" + _ALIKE, ["shard"])
LETTERS = Gauge("botlane_dead_letters_kept", "Dead letters kept" + _ALIKE, ["shard"])


class QueueFigures:
    """Brings the gauges up to date."""

    def __init__(self, redis: ArqRedis, shards: int) -> None:
        self._figures = Figures(redis)
        self._shards = shards
        self._asked_at = float("-inf")
        self._asking = asyncio.Lock()

    async def refresh(self) -> None:
        """Ask unless it was done just now. While Redis is away there are no such numbers, rather than old ones."""
        async with self._asking:
            if time.monotonic() - self._asked_at < EVERY_SECONDS:
                return
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    found = [await self._figures.of(shard) for shard in range(self._shards)]
            except (RedisUnreachable, TimeoutError):
                REACHABLE.set(0)
                for gauge in (WAITING, OLDEST, BUSY, ALIVE, LETTERS):
                    gauge.clear()
                return
            self._asked_at = time.monotonic()
            REACHABLE.set(1)
            for shard, figures in enumerate(found):
                _show(str(shard), figures)


def _show(shard: str, figures: ShardFigures) -> None:
    WAITING.labels("dialog", shard).set(figures.waiting)
    WAITING.labels("integration", shard).set(figures.calls_waiting)
    OLDEST.labels("dialog", shard).set(figures.oldest_ms / 1000)
    OLDEST.labels("integration", shard).set(figures.oldest_call_ms / 1000)
    BUSY.labels(shard).set(figures.busy)
    ALIVE.labels(shard).set(figures.alive)
    LETTERS.labels(shard).set(figures.dead)
