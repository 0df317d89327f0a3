"""Order under bursts: five messages of a conversation at once, with and without a call in the first turn."""

import contextlib
import json
import sys
import urllib.request
from collections.abc import AsyncIterator

from services.cli.listening import free_port
from services.settings import Settings
from tests.bench.bench import SAYING, Bench
from tests.bench.bursts import Bursts, burst
from tests.bench.figures import Figure, alone
from tests.bench.systems import Systems, until_listening

API = "https://bench.example.com"


@contextlib.asynccontextmanager
async def slow_api(systems: Systems) -> AsyncIterator[str]:
    """Start the API of the saying bot and give its address."""
    port = free_port("127.0.0.1")
    command = (sys.executable, "-m", "tests.bench.slow_server", str(port))
    async with systems.child("slow_server", command, Settings()) as child:
        await until_listening(port, child)
        yield f"http://127.0.0.1:{port}"


async def bursts(bench: Bench) -> list[Figure]:
    """Measure bursts of five messages."""
    conversations, count = (50, 2) if bench.quick else (100, 4)
    async with (
        slow_api(bench.systems) as api,
        bench.systems.botlane([SAYING], rewrite_urls=((API, api),)) as system,
    ):
        plain = await burst(system.host, conversations, count)
        calling = await burst(system.host, conversations, count, "ask")
        asked = json.loads(urllib.request.urlopen(f"{api}/asked").read())
    if asked != conversations * count:
        raise AssertionError(f"{conversations * count} calls were to be made, the API was called {asked} times")
    return [
        *_figures("bursts of 5", plain),
        *_figures("bursts of 5, the first with a call of 100 ms", calling),
    ]


def _figures(what: str, told: Bursts) -> list[Figure]:
    found = told.verdict
    note = (
        f"{told.messages:,} messages: {found.lost} lost, {found.doubled} doubled, {found.out_of_order} out of order,"
        f" {told.wrong_counts} counts wrong"
    )
    violations = float(found.violations + told.wrong_counts)
    return [
        alone("bursts", f"{what}: violations", "", [violations], "0", lambda count: count == 0, note),
        alone("bursts", f"{what}: throughput", "messages/s", [told.messages / told.seconds]),
    ]
