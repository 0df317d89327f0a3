"""What Botlane takes while nothing happens, and how it starts: idle CPU, memory of programs and server, time to ready."""

import asyncio
import time

from shared.queue.conversation_keys import conversation_keys
from shared.store import keys
from tests.bench.bench import COUNTING, Bench
from tests.bench.figures import Figure, alone, at_most
from tests.bench.processes import children, cpu_seconds, resident_mb, used
from tests.bench.systems import System
from tests.bench.workload_w import CONVERSATIONS, W
from tests.journeys.system import botlane_run

VARIABLES = ["request", "session", "forever", "web_view", "results"]


async def idle(bench: Bench) -> list[Figure]:
    """Measure the CPU of all programs and the server while nothing happens, without and with open streams."""
    system = await bench.botlane()
    w = W(system.host, CONVERSATIONS)
    await w.open()
    await w.run(1)
    streams = await _idle(system, bench)
    w.close()
    nobody = await _idle(system, bench)
    return [
        alone(
            "idle",
            "CPU of all programs and the server, nobody connected",
            "% of a core",
            [sum(nobody.values())],
            "under 1 %",
            lambda percent: percent < 1,
            ", ".join(f"{name} {percent:.2f}" for name, percent in nobody.items()),
        ),
        alone("idle", f"the same with {CONVERSATIONS} open streams", "% of a core", [sum(streams.values())]),
    ]


async def _idle(system: System, bench: Bench) -> dict[str, float]:
    """Return the percentage of a core that each program takes."""
    await asyncio.sleep(1)
    before, began = cpu_seconds(system.programs), time.perf_counter()
    await asyncio.sleep(3 if bench.quick else 10)
    spent, seconds = used(before, cpu_seconds(system.programs)), time.perf_counter() - began
    return {name: 100 * cpu / seconds for name, cpu in spent.items()}


async def memory(bench: Bench) -> list[Figure]:
    """Measure the resident memory of the programs, and how it grows over many turns."""
    await bench.quiet()
    system = await bench.botlane()
    w = W(system.host, CONVERSATIONS)
    await w.open()
    await w.run(5 if bench.quick else 20)
    first = _resident(system)
    more = 5 if bench.quick else 500 if bench.long else 50
    turns = (await w.run(more)).messages
    last = _resident(system)
    w.close()
    figures = [
        alone("memory", name, "MB", [last[name]], f"at most {most} MB", at_most(most))
        for name, most in (("gateway", 80), ("dialog-worker", 80), ("turn process", 45))
    ]
    figures.append(alone("memory", "integration-worker", "MB", [last["integration-worker"]]))
    for name in ("gateway", "dialog-worker", "turn process"):
        growth = last[name] - first[name]
        what = f"growth of {name} over {turns:,} turns"
        figures.append(alone("memory", what, "MB", [growth], "flat: at most 5 %", at_most(0.05 * first[name])))
    return figures


def _resident(system: System) -> dict[str, float]:
    found = {name: resident_mb(pid) for name, pid in system.programs.items()}
    found["turn process"] = max(resident_mb(pid) for pid in children(system.programs["dialog-worker"]))
    return found


async def server_memory(bench: Bench) -> list[Figure]:
    """Measure what an idle conversation takes in Redis beyond its variables and messages."""
    system = await bench.botlane()
    w = W(system.host, 20 if bench.quick else 200)
    await w.open()
    await w.run(2)
    w.close()
    await asyncio.sleep(0.5)
    found = [await _memory_of(system, talk.id) for talk in w.talks]
    taken, traces, content = (sum(column) / len(found) for column in zip(*found, strict=True))
    beyond = taken - traces - content
    note = f"its variables and messages, two each way, are {content:,.0f} bytes"
    what = "memory of an idle conversation beyond its variables and messages"
    return [
        alone("redis", what, "bytes", [beyond], "at most 1,500", at_most(1500), note),
        alone("redis", "memory of its trace, which is kept for an hour", "bytes", [traces]),
    ]


async def _memory_of(system: System, conversation_id: str) -> tuple[int, int, int]:
    """Return the bytes of all keys of a conversation, of its trace, and of what it was given to keep."""
    places = [key for key in conversation_keys(conversation_id) if key.endswith(conversation_id)]
    async with system.redis.pipeline(transaction=False) as pipe:
        pipe.hmget(keys.session(conversation_id), VARIABLES)
        pipe.lrange(keys.outbox(conversation_id), 0, -1)
        for place in places:
            pipe.memory_usage(place, samples=0)
        variables, outbox, *sizes = await pipe.execute()
    content = sum(map(len, [*filter(None, variables), *outbox]))
    trace = sizes[places.index(keys.trace(conversation_id))] or 0
    return sum(size or 0 for size in sizes), trace, content


async def starting(bench: Bench) -> list[Figure]:
    """Measure the time from the command `botlane run` to all programs being ready."""
    await bench.quiet()
    seconds = []
    for number in range(bench.rounds(3)):
        began = time.perf_counter()
        with botlane_run(bench.folder / f"start-{number}", [COUNTING]):
            seconds.append(time.perf_counter() - began)
    return [
        alone("start", "`botlane run` to ready", "s", seconds, "at most 1.5 s", at_most(1.5)),
    ]
