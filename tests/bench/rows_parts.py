"""The parts alone: what one gateway accepts, what one dialog worker gets done, and what more workers add."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable
from typing import cast

import msgspec
from arq.connections import ArqRedis

from services.cli.listening import free_port
from services.settings import Settings
from shared.store import keys
from tests.bench.bench import COUNTING, PLAIN, Bench
from tests.bench.figures import Figure, Spread, against, alone, at_least, ratios, spread
from tests.bench.noop_worker import WORKERS
from tests.bench.posting import post
from tests.bench.prefill import drained, fill_inboxes, fill_jobs, stopped
from tests.bench.processes import cpu_seconds, used
from tests.bench.systems import READY_SECONDS, System, Systems, connected, until_listening
from tests.bench.workload_w import BOT_ID

PLAIN_ID = "bench-plain"
CONVERSATIONS = 64
_QUEUE, _DUE = keys.dialog_queue(0), keys.due(0)


class Drain(msgspec.Struct, frozen=True):
    """How fast waiting work was done, and the CPU seconds of workers and server for 1,000 of it."""

    rate: float
    cpu: float


async def accepting(bench: Bench) -> list[Figure]:
    """Measure what one gateway process accepts while nobody takes the turns."""
    await bench.quiet()
    messages = 20 if bench.quick else 60
    theirs, ours = [], []
    async with _bare(bench.systems) as bare, bench.systems.botlane([COUNTING], ["gateway"]) as system:
        for host in (bare, system.host):
            await post(host, BOT_ID, CONVERSATIONS, 5)
        for _ in range(bench.rounds(3)):
            theirs.append(await post(bare, BOT_ID, CONVERSATIONS, messages))
            ours.append(await post(system.host, BOT_ID, CONVERSATIONS, messages))
    return [
        against(
            "accept",
            "messages one gateway process accepts",
            "messages/s",
            ours,
            theirs,
            "at least 0.8 of an aiohttp handler with the same script",
            at_least(0.8),
        )
    ]


async def turning(bench: Bench) -> list[Figure]:
    """Measure the turns of one dialog worker with two turn processes and a bot without scripts."""
    await bench.quiet()
    count = 500 if bench.quick else 2000
    theirs, ours, deep = [], [], []
    async with (
        noop_workers(bench.systems, "doorbell", 1) as noop,
        bench.systems.botlane([PLAIN], ["dialog-worker"]) as system,
    ):
        for _ in range(bench.rounds(3)):
            theirs.append((await drain_jobs(noop, count)).rate)
            ours.append((await drain_turns(system, PLAIN_ID, count)).rate)
        deep.append((await drain_turns(system, PLAIN_ID, count // 10, messages=10)).rate)
    return [
        against(
            "turns",
            "turns of one dialog worker, two turn processes, no scripts",
            "turns/s",
            ours,
            theirs,
            "at least 0.6 of the doorbell worker with a job that does nothing",
            at_least(0.6),
            "one message waits in each conversation",
        ),
        alone("turns", "the same with ten messages waiting in each conversation", "turns/s", deep),
    ]


async def scaling(bench: Bench) -> list[Figure]:
    """Measure dialog workers 1, 2 and 4 over prefilled inboxes, beside stock arq with jobs that do nothing."""
    await bench.quiet()
    count = 300 if bench.quick else 1000
    ours: dict[int, list[Drain]] = {1: [], 2: [], 4: []}
    stock: dict[int, list[Drain]] = {1: [], 2: [], 4: []}
    for workers in ours:
        names = [f"dialog-worker/{number}" for number in range(workers)]
        async with bench.systems.botlane([COUNTING], names, turn_processes=1) as system:
            ours[workers] = [await drain_turns(system, BOT_ID, count) for _ in range(bench.rounds(3))]
        async with noop_workers(bench.systems, "stock", workers) as system:
            stock[workers] = [await drain_jobs(system, 2 * count) for _ in range(bench.rounds(3))]
    figures = []
    for workers, drains in ours.items():
        rates = [drain.rate for drain in drains]
        cpu = spread([drain.cpu for drain in drains]).median
        gain = ratios(rates, [drain.rate for drain in ours[1]])
        figures.append(_scaled(workers, spread(rates), gain, ours, f"{cpu:.2f} CPU s for 1,000 turns"))
    figures += [
        alone("workers", f"stock arq, {workers} workers, jobs that do nothing", "jobs/s", [one.rate for one in drains])
        for workers, drains in stock.items()
    ]
    return figures


def _scaled(workers: int, rate: Spread, gain: Spread, drains: dict[int, list[Drain]], note: str) -> Figure:
    target, met = "", None
    if workers == 2:
        target, met = "at least 1.6 times one", gain.median >= 1.6
    elif workers == 4:
        two = spread([drain.rate for drain in drains[2]])
        target, met = "never less than 2 workers", rate.median >= two.median
    what = f"dialog workers: {workers}, each with one turn process"
    note = f"{gain.median:.2f} times one worker; {note}" if workers > 1 else note
    return Figure(row="workers", what=what, unit="turns/s", value=rate, target=target, met=met, note=note)


async def drain_turns(system: System, bot_id: str, conversations: int, messages: int = 1) -> Drain:
    """Let the dialog workers empty inboxes that were filled while they stood still, after a little to warm up."""
    texts = [f"add {number} lamps" for number in range(messages)]
    await fill_inboxes(system.redis, system.settings, bot_id, 40, texts)
    await drained(system.redis, _QUEUE, _DUE)
    workers = [pid for name, pid in system.programs.items() if name.startswith("dialog-worker")]
    with stopped(workers):
        await fill_inboxes(system.redis, system.settings, bot_id, conversations, texts)
        before = cpu_seconds(system.programs)
    return await _drain(system, before, conversations * messages, _DUE)


async def drain_jobs(system: System, count: int) -> Drain:
    """Let workers do jobs that do nothing, filled in while they stood still."""
    await fill_jobs(system.redis, 40)
    await drained(system.redis, _QUEUE)
    workers = [pid for name, pid in system.programs.items() if name != "valkey"]
    with stopped(workers):
        await fill_jobs(system.redis, count)
        before = cpu_seconds(system.programs)
    return await _drain(system, before, count)


async def _drain(system: System, before: dict[str, float], count: int, *places: str) -> Drain:
    seconds = await drained(system.redis, _QUEUE, *places)
    spent = sum(used(before, cpu_seconds(system.programs)).values())
    return Drain(count / seconds, spent / count * 1000)


@contextlib.asynccontextmanager
async def noop_workers(systems: Systems, kind: str, count: int) -> AsyncIterator[System]:
    """Start workers whose jobs do nothing (`doorbell` or `stock`) on a server of their own."""
    async with contextlib.AsyncExitStack() as stack:
        url, valkey = await stack.enter_async_context(systems.server())
        redis: ArqRedis = await stack.enter_async_context(connected(url))
        programs = {"valkey": valkey}
        command = (sys.executable, "-m", "tests.bench.noop_worker", kind, url)
        for number in range(count):
            name = f"{kind}/{number}"
            programs[name] = (await stack.enter_async_context(systems.child(name, command, Settings()))).pid
        await _until_all_work(redis, count)
        yield System("", url, Settings(redis_url=url), redis, programs)


async def _until_all_work(redis: ArqRedis, workers: int) -> None:
    async with asyncio.timeout(READY_SECONDS):
        while await cast("Awaitable[int]", redis.scard(WORKERS)) < workers:
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def _bare(systems: Systems) -> AsyncIterator[str]:
    """Start the handler that does nothing but INGEST, on a server of its own."""
    port = free_port("127.0.0.1")
    async with systems.server() as (url, _):
        command = (sys.executable, "-m", "tests.bench.bare_handler", str(port), url)
        async with systems.child("bare_handler", command, Settings()) as child:
            await until_listening(port, child)
            yield f"127.0.0.1:{port}"
