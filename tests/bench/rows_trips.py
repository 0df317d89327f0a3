"""Commands and round trips: what one message costs at the server, and how often programs wait for it."""

from collections import Counter

from shared.store import keys
from tests.bench.bench import Bench
from tests.bench.figures import Figure, alone, at_most
from tests.bench.systems import System
from tests.bench.watching import Watch, watched
from tests.bench.workload_w import W

GATEWAY = {"create", "ingest", "read"}
BACKGROUND = {"sweep", "recover", "PING", "CLIENT", "HELLO", "SELECT", "INFO", "SCRIPT", "SUBSCRIBE", "PSETEX", "GET"}
"""What is sent once in a while, whatever is going on."""


async def trips(bench: Bench) -> list[Figure]:
    """Count commands and round trips for each message, under load and one at a time."""
    system = await bench.botlane()
    busy, commands, messages, reads = await _watch(system, conversations=50, messages=4 if bench.quick else 20)
    single, _, few, few_reads = await _watch(system, conversations=1, messages=20)
    worker, quiet = (_by_worker(watch) for watch in (busy, single))
    return [
        alone(
            "trips",
            "commands the dialog worker sends for each turn, in W with 50 conversations",
            "",
            [worker.total() / messages],
            "at most 4 round trips",
            at_most(4),
            _shown(worker, messages),
        ),
        alone("trips", "the same, one message at a time", "", [quiet.total() / few], note=_shown(quiet, few)),
        alone(
            "trips",
            "commands the gateway sends to accept a message",
            "",
            [busy.count("ingest") / messages],
            "1 round trip",
            at_most(1),
            f"and {busy.count('read') / messages:.2f} reads for the stream",
        ),
        alone(
            "trips",
            "reads of the server for each message: round trips of all programs, several commands may share one",
            "",
            [reads / messages],
            note=f"{few_reads / few:.1f} with one message at a time",
        ),
        alone(
            "trips",
            "commands the server executes for each message, those within scripts included",
            "",
            [commands.total() / messages],
            note=_shown(commands, messages, 8),
        ),
    ]


async def _watch(system: System, conversations: int, messages: int) -> tuple[Watch, Counter[str], int, int]:
    """Run W under watch; return what was asked, what was executed, how many messages there were, and reads of the server."""
    w = W(system.host, conversations)
    await w.open()
    await w.run(2)
    before, reads = await _executed(system), await _reads(system)
    async with watched(system.redis_url) as watch:
        told = await w.run(messages)
    commands, reads = await _executed(system) - before, await _reads(system) - reads
    w.close()
    return watch, commands, told.messages, reads


async def _reads(system: System) -> int:
    return int((await system.redis.info("stats"))["total_reads_processed"])


async def _executed(system: System) -> Counter[str]:
    stats = await system.redis.info("commandstats")
    return Counter({name.removeprefix("cmdstat_"): int(figures["calls"]) for name, figures in stats.items()})


def _by_worker(watch: Watch) -> Counter[str]:
    """Return what the dialog worker asked: everything that belongs neither to the gateway nor to other work."""
    found: Counter[str] = Counter()
    for asked, count in watch.asked.items():
        if asked.name not in GATEWAY | BACKGROUND and not asked.key.startswith(keys.integration_queue(0)):
            found[asked.name] += count
    return found


def _shown(counts: Counter[str], messages: int, most: int = 6) -> str:
    return ", ".join(f"{name} {count / messages:.2f}" for name, count in counts.most_common(most))
