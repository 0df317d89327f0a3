"""Commands and round trips: what one message costs at the server, and how often programs wait for it."""

from collections import Counter

import msgspec

from shared.store import keys
from tests.bench.bench import Bench
from tests.bench.figures import Figure, alone, at_most
from tests.bench.systems import System
from tests.bench.watching import watched
from tests.bench.workload_w import W

GATEWAY = {"create", "ingest", "read"}
BACKGROUND = {"sweep", "recover", "PING", "CLIENT", "HELLO", "SELECT", "INFO", "SCRIPT", "SUBSCRIBE", "PSETEX", "GET"}
"""What is sent once in a while, whatever is going on."""


async def trips(bench: Bench) -> list[Figure]:
    """Count commands and round trips for each message, under load and one at a time."""
    system = await bench.botlane()
    busy = await _watch(system, conversations=50, messages=4 if bench.quick else 20)
    single = await _watch(system, conversations=1, messages=20)
    most, accepted = "at most 4 round trips", "1 round trip"
    shared = f"several commands may share one; {single.reads / single.messages:.1f} with one message at a time"
    return [
        _sent("by the dialog worker for each turn, in W with 50 conversations", busy, busy.worker, most, 4),
        _sent("by the dialog worker for each turn, one message at a time", single, single.worker),
        _sent("by the gateway to accept a message", busy, Counter(ingest=busy.asked["ingest"]), accepted, 1),
        _sent("by the gateway for the streams, for each message", busy, busy.gateway - Counter(ingest=10**9)),
        alone("trips", "round trips of all programs for each message", "", [busy.reads / busy.messages], note=shared),
        _sent("executed by the server for each message, those within scripts included", busy, busy.executed),
    ]


class Seen(msgspec.Struct, frozen=True):
    """What was seen of some messages: commands sent by name, commands executed, and reads of the server."""

    messages: int
    worker: Counter[str]
    gateway: Counter[str]
    executed: Counter[str]
    reads: int

    @property
    def asked(self) -> Counter[str]:
        """Everything that was sent."""
        return self.worker + self.gateway


def _sent(what: str, seen: Seen, counts: Counter[str], target: str = "", most: float | None = None) -> Figure:
    holds = None if most is None else at_most(most)
    note = ", ".join(f"{name} {count / seen.messages:.2f}" for name, count in counts.most_common(6))
    return alone("trips", f"commands {what}", "", [counts.total() / seen.messages], target, holds, note)


async def _watch(system: System, conversations: int, messages: int) -> Seen:
    """Run W under watch."""
    w = W(system.host, conversations)
    await w.open()
    await w.run(2)
    executed, reads = await _executed(system), await _reads(system)
    async with watched(system.redis_url) as watch:
        told = await w.run(messages)
    executed, reads = await _executed(system) - executed, await _reads(system) - reads
    w.close()
    worker: Counter[str] = Counter()
    gateway: Counter[str] = Counter()
    for asked, count in watch.asked.items():
        if asked.name in GATEWAY:
            gateway[asked.name] += count
        elif asked.name not in BACKGROUND and not asked.key.startswith(keys.integration_queue(0)):
            worker[asked.name] += count
    return Seen(told.messages, worker, gateway, executed, reads)


async def _reads(system: System) -> int:
    return int((await system.redis.info("stats"))["total_reads_processed"])


async def _executed(system: System) -> Counter[str]:
    stats = await system.redis.info("commandstats")
    return Counter({name.removeprefix("cmdstat_"): int(figures["calls"]) for name, figures in stats.items()})
