"""The numbers of the queues, which every program exports alike: whoever lives tells how long others have waited."""

from arq.connections import ArqRedis
from prometheus_client import Gauge

from services.collecting import Collected
from shared.queue.figures import Figures, ShardFigures

_ALIKE = " (every program exports the same: take the max)"

REACHABLE = Gauge("botlane_redis_reachable", "1 when this program reached Redis for these numbers, else 0")
WAITING = Gauge("botlane_queue_waiting", "Conversations or calls that wait for a worker" + _ALIKE, ["queue", "shard"])
OLDEST = Gauge(
    "botlane_queue_oldest_seconds", "For how long the oldest of them has waited, 0 if none" + _ALIKE, ["queue", "shard"]
)
BUSY = Gauge("botlane_conversations_busy", "Conversations that wait, are in a turn or have a call" + _ALIKE, ["shard"])
ALIVE = Gauge("botlane_conversations_alive", "Conversations that have not expired" + _ALIKE, ["shard"])
LETTERS = Gauge("botlane_dead_letters_kept", "Dead letters kept" + _ALIKE, ["shard"])


def queue_figures(redis: ArqRedis, shards: int) -> Collected[list[ShardFigures]]:
    """Return what brings the gauges up to date."""
    figures = Figures(redis)

    async def ask() -> list[ShardFigures]:
        return [await figures.of(shard) for shard in range(shards)]

    return Collected(ask, _show, _away)


def _away() -> None:
    REACHABLE.set(0)
    for gauge in (WAITING, OLDEST, BUSY, ALIVE, LETTERS):
        gauge.clear()


def _show(found: list[ShardFigures]) -> None:
    REACHABLE.set(1)
    for shard, figures in enumerate(found):
        _show_shard(str(shard), figures)


def _show_shard(shard: str, figures: ShardFigures) -> None:
    WAITING.labels("dialog", shard).set(figures.waiting)
    WAITING.labels("integration", shard).set(figures.calls_waiting)
    OLDEST.labels("dialog", shard).set(figures.oldest_ms / 1000)
    OLDEST.labels("integration", shard).set(figures.oldest_call_ms / 1000)
    BUSY.labels(shard).set(figures.busy)
    ALIVE.labels(shard).set(figures.alive)
    LETTERS.labels(shard).set(figures.dead)
