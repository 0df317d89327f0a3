"""Calls in flight: a thousand of two seconds each, by one integration worker and by a plain aiohttp client."""

import asyncio
import json
import time
import urllib.request

import aiohttp

from shared.store import keys
from tests.bench.bench import SAYING, Bench
from tests.bench.figures import Figure, against
from tests.bench.prefill import drained, fill_inboxes, stopped
from tests.bench.rows_order import API, slow_api
from tests.bench.systems import System
from tests.bench.talk import PATIENCE_SECONDS

BOT_ID = "bench-saying"
_QUEUE, _DUE, _CALLS = keys.dialog_queue(0), keys.due(0), keys.integration_queue(0)


async def calling(bench: Bench) -> list[Figure]:
    """Measure a thousand calls in flight."""
    await bench.quiet()
    count = 200 if bench.quick else 1000
    theirs, ours = [], []
    async with (
        slow_api(bench.systems) as api,
        bench.systems.botlane([SAYING], ["dialog-worker", "integration-worker"], rewrite_urls=((API, api),)) as system,
    ):
        await fill_inboxes(system.redis, system.settings, BOT_ID, 5, ["ask 1"])
        await drained(system.redis, _QUEUE, _CALLS, _DUE)
        for _ in range(bench.rounds(2)):
            theirs.append(await _plain(f"{api}/wait/2000", count))
            ours.append(await _calls(system, api, count))
    return [
        against(
            "calls",
            f"{count:,} calls of 2 s at once, one integration worker",
            "s",
            ours,
            theirs,
            "less than 10 % more than a plain aiohttp client",
            lambda ratio: ratio < 1.1,
        )
    ]


async def _calls(system: System, api: str, count: int) -> float:
    """Let calls pile up while the worker stands still; return the seconds it then takes to hand in all outcomes."""
    before = _asked(api)
    worker, dialog = system.programs["integration-worker"], system.programs["dialog-worker"]
    with stopped([worker]):
        await fill_inboxes(system.redis, system.settings, BOT_ID, count, ["wait 1"])
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await system.redis.zcard(_CALLS) < count:
                await asyncio.sleep(0.01)
        await drained(system.redis, _QUEUE)
    with stopped([dialog]):
        seconds = await drained(system.redis, _CALLS)
    await drained(system.redis, _QUEUE, _DUE)
    if _asked(api) - before != count:
        raise AssertionError(f"{count} calls were to be made, the API was called {_asked(api) - before} times")
    return seconds


async def _plain(url: str, count: int) -> float:
    """Return the seconds that a plain client takes."""

    async def one() -> None:
        async with http.get(url) as answer:
            await answer.read()

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        began = time.perf_counter()
        await asyncio.gather(*(one() for _ in range(count)))
        return time.perf_counter() - began


def _asked(api: str) -> int:
    return int(json.loads(urllib.request.urlopen(f"{api}/asked").read()))
