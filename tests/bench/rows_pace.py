"""Latency at a given rate: 50 messages/s beside the baseline, and 70 % of what W reaches."""

from tests.bench.bench import Bench
from tests.bench.figures import Figure, against, alone, at_most, percentile
from tests.bench.open_loop import open_loop
from tests.bench.systems import System
from tests.bench.workload_w import CONVERSATIONS, W

SLOW_RATE, LOAD = 50.0, 0.7


async def slow(bench: Bench) -> list[Figure]:
    """Measure W at 50 messages/s, open loop."""
    seconds = 3.0 if bench.quick else 8.0
    theirs, ours = [], []
    for _ in range(bench.rounds(2)):
        theirs.append(await paced(await bench.inline(), SLOW_RATE, seconds))
        ours.append(await paced(await bench.botlane(), SLOW_RATE, seconds))
    return [
        against(
            "slow",
            f"W at 50 messages/s, p{percent}",
            "ms",
            [percentile(latencies, percent) for latencies in ours],
            [percentile(latencies, percent) for latencies in theirs],
            "at most 3 times the baseline's",
            at_most(3),
            "open loop, from the scheduled send",
        )
        for percent in (50, 99)
    ]


async def saturation(bench: Bench) -> list[Figure]:
    """Measure W at 70 % of the messages/s that Botlane reaches in W."""
    system = await bench.botlane()
    if not bench.rate:
        w = W(system.host, CONVERSATIONS)
        await w.open()
        await w.run(2)
        bench.rate = (await w.run(8 if bench.quick else 20)).rate
        w.close()
    rounds = [await paced(system, LOAD * bench.rate, 3.0 if bench.quick else 6.0) for _ in range(bench.rounds(2))]
    note = f"open loop at {LOAD * bench.rate:,.0f} messages/s"
    p99 = [percentile(latencies, 99) for latencies in rounds]
    return [
        alone("load", "W at 70 % of saturation, p99", "ms", p99, "at most 100 ms", at_most(100), note),
        alone("load", "W at 70 % of saturation, p50", "ms", [percentile(latencies, 50) for latencies in rounds]),
    ]


async def paced(system: System, rate: float, seconds: float) -> list[float]:
    """Open the conversations of W, say one thing in each, and return the latencies of an open loop in milliseconds."""
    w = W(system.host, CONVERSATIONS)
    await w.open()
    await w.run(1)
    latencies = await open_loop(w.talks, rate, seconds, said=1)
    w.close()
    return latencies
