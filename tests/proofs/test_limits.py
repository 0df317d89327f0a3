"""Integration workers as programs, killed under load with all places taken: never more at once, never more in a time."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from aiohttp import web

from tests.proofs.form import LONG
from tests.proofs.stolen import Stolen, watching
from tests.services.integration_worker.calling import Waiting, responder
from tests.services.integration_worker.misbehaving import Server, serving
from tests.services.integration_worker.test_worker import ROOT, ended

pytestmark = [pytest.mark.proof, pytest.mark.timeout(300)]
CALLS = 2000 if LONG else 300
AT_ONCE, A_SECOND = 5, 60


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as started:
        yield started


@pytest.fixture
def waiting(redis: object) -> Waiting:
    return Waiting(redis)  # type: ignore[arg-type]


@pytest.fixture
def start(valkey_server: str) -> Iterator[Callable[[], "subprocess.Popen[bytes]"]]:
    environment = {**os.environ, "BOTLANE_REDIS_URL": valkey_server, "BOTLANE_OPS": "127.0.0.1:0"}  # noqa: TID251 (a child's)
    command = [sys.executable, "-m", "services.integration_worker"]
    started: list[subprocess.Popen[bytes]] = []

    def worker() -> "subprocess.Popen[bytes]":
        started.append(subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL))
        return started[-1]

    yield worker
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def stolen(valkey_server: str) -> Iterator[Stolen]:
    """What other programs of this machine take of the time that is promised here."""
    with watching(valkey_server) as watched:
        yield watched


async def test_programs_keep_the_limits_of_a_host_and_others_go_on_when_they_are_killed(
    waiting: Waiting, server: Server, stolen: Stolen, start: Callable[[], "subprocess.Popen[bytes]"]
) -> None:
    now, most, begun = 0, 0, list[float]()

    async def answer(request: web.Request) -> web.Response:
        nonlocal now, most
        begun.append(asyncio.get_running_loop().time())
        now += 1
        most = max(most, now)
        try:
            await asyncio.sleep(0.03)
        finally:
            now -= 1
        return web.Response(text="{}")

    server.answers = [answer]
    host = server.url.removeprefix("http://")
    limits = f'[hosts."{host}"]\nconcurrency = {AT_ONCE}\nrate = "{A_SECOND}/s"\n'
    await waiting.publish(responder("It", server.url), manifest="total_timeout = 300.0\n", more=limits)
    calls = [await waiting.call("It", queue_ms=300_000, budget_ms=20_000) for _ in range(CALLS)]
    workers = [start(), start()]
    while len(begun) < CALLS // 4 or now < AT_ONCE:
        await asyncio.sleep(0.001)
    for worker in workers:
        worker.send_signal(signal.SIGKILL)
    start()
    found = [await ended(waiting, call_id) for call_id in calls]
    on_the_way = 0.5  # from its permit to the server, at most; the scripts themselves are exact
    assert most <= AT_ONCE
    assert all(
        late - soon > 1 - on_the_way - stolen.seconds for soon, late in zip(begun, begun[A_SECOND:], strict=False)
    )
    assert {outcome.failure for outcome in found} <= {None, "limited"}
    assert sum(outcome.status == 200 for outcome in found) > CALLS // 2
    assert any(attempt.outcome == "interrupted" for outcome in found for attempt in outcome.attempts)


async def test_programs_share_a_breaker_and_one_probe_among_them(
    waiting: Waiting, server: Server, start: Callable[[], "subprocess.Popen[bytes]"]
) -> None:
    """Three programs: the third failure stops all of them, and one call of all tries again."""
    good, probing = asyncio.Event(), asyncio.Event()

    async def answer(_: web.Request) -> web.Response:
        if not good.is_set():
            return web.Response(status=503)
        probing.set()
        await server.released.wait()
        return web.Response(text="{}")

    server.answers = [answer]
    host = server.url.removeprefix("http://")
    limits = f'[hosts."{host}"]\nconcurrency = 2\nbreaker = {{ failures = 3, open = "2s" }}\n'
    await waiting.publish(responder("It", server.url), manifest="retries = 0\n", more=limits)
    for _ in range(3):
        start()
    calls = [await waiting.call("It", queue_ms=60_000) for _ in range(90)]
    found = [await ended(waiting, call_id) for call_id in calls]
    failures = [outcome.failure or outcome.status for outcome in found]
    assert server.seen.count == failures.count(503) <= 3 + 1  # one more was on its way
    assert failures.count("breaker_open") == 90 - failures.count(503)
    good.set()
    before, probe = server.seen.count, None
    while not probing.is_set():
        probe = await waiting.call("It")
        while not probing.is_set() and (outcome := await waiting.outcome(probe)) is None:
            await asyncio.sleep(0.005)
        assert probing.is_set() or (outcome and outcome.failure == "breaker_open")
    found = [await ended(waiting, await waiting.call("It")) for _ in range(30)]
    assert ({outcome.failure for outcome in found}, server.seen.count) == ({"breaker_open"}, before + 1)
    server.released.set()
    assert probe is not None
    assert (await ended(waiting, probe)).status == 200
    found = [await ended(waiting, await waiting.call("It")) for _ in range(12)]
    assert {outcome.status for outcome in found} == {200}
