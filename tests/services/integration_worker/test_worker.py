"""The integration worker on real queues, and as a program."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from arq.connections import ArqRedis

from services.integration_worker import worker as program
from services.integration_worker.worker import build_worker
from services.settings import Settings
from shared.dialog.events import CallOutcome
from shared.queue.worker import DoorbellWorker
from shared.store import keys
from shared.store.connection import connect
from tests.services.integration_worker.calling import Waiting, responder, words
from tests.services.integration_worker.misbehaving import Server

ROOT = Path(__file__).parents[3]
OK = (200, {"Content-Type": "application/json"}, b'{"ok":1}')


@asynccontextmanager
async def working(url: str, **settings: object) -> AsyncIterator[DoorbellWorker]:
    """Run a worker; leaving stops it as a signal does."""
    made = Settings(redis_url=url, completion_wait=0.0, **settings)  # type: ignore[arg-type]
    worker = build_worker(made, connect(url))
    serving = asyncio.create_task(worker.serve())
    try:
        yield worker
    finally:
        serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving


async def ended(waiting: Waiting, call_id: str) -> CallOutcome:
    """Wait for the outcome of a call."""
    while (outcome := await waiting.outcome(call_id)) is None:
        await asyncio.sleep(0.005)
    return outcome


async def arrived(server: Server, times: int = 1) -> None:
    while server.seen.count < times:
        await asyncio.sleep(0.001)


async def test_the_worker_makes_the_calls_of_all_shards(waiting: Waiting, server: Server, valkey_server: str) -> None:
    server.answers = [OK]
    await waiting.publish(responder("It", server.url))
    async with working(valkey_server, shards=2):
        calls = [await waiting.call("It", shard=shard) for shard in (0, 1, 0)]
        outcomes = [await ended(waiting, call_id) for call_id in calls]
    assert [outcome.status for outcome in outcomes] == [200] * 3


async def test_calls_that_hang_hold_up_no_others(waiting: Waiting, server: Server, valkey_server: str) -> None:
    server.answers = [*[server.hang] * 30, OK]
    await waiting.publish(responder("It", server.url))
    async with working(valkey_server):
        hanging = [await waiting.call("It") for _ in range(30)]
        await arrived(server, 30)
        assert (await ended(waiting, await waiting.call("It"))).status == 200
        server.released.set()
        outcomes = [await ended(waiting, call_id) for call_id in hanging]
    assert {outcome.body for outcome in outcomes} == {"late"}


async def test_names_that_are_looked_up_slowly_hold_up_no_others(
    waiting: Waiting, server: Server, valkey_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    released, asked, look_up = threading.Event(), [], socket.getaddrinfo

    def slow(host: str, *rest: Any, **more: Any) -> Any:
        if host.endswith("slow.example"):
            asked.append(host)
            released.wait(100)
            raise socket.gaierror
        return look_up(host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    server.answers = [OK]
    here = server.url.replace("127.0.0.1", "localhost")
    await waiting.publish(responder("Slow", "http://{$botContext.n}.slow.example/"), responder("It", here))
    async with working(valkey_server):
        for n in range(20):
            await waiting.call("Slow", n=f"n{n}")
        while len(asked) < 20:
            await asyncio.sleep(0.005)
        assert (await ended(waiting, await waiting.call("It"))).status == 200
        released.set()


async def test_a_call_in_flight_goes_on_in_the_next_worker(
    waiting: Waiting, server: Server, valkey_server: str
) -> None:
    server.answers = [server.hang, OK]
    await waiting.publish(responder("It", server.url))
    async with working(valkey_server):
        call_id = await waiting.call("It")
        await arrived(server)
    async with working(valkey_server):
        outcome = await ended(waiting, call_id)
    assert (outcome.status, words(outcome)) == (200, ["interrupted", "200"])


async def test_a_job_whose_call_is_gone_leaves_the_queue(redis: ArqRedis, valkey_server: str) -> None:
    conversation = keys.new_conversation_id(0)
    queue = keys.integration_queue(0)
    async with working(valkey_server):
        await redis.enqueue_job("call", f"{conversation}.1", _queue_name=queue)
        while await redis.zcard(queue):
            await asyncio.sleep(0.005)


async def test_rewritten_addresses_reach_the_client(waiting: Waiting, server: Server, valkey_server: str) -> None:
    server.answers = [OK]
    await waiting.publish(responder("It", "https://api.example.com/x"), private=False)
    rewrites = (("https://api.example.com", server.url),)
    async with working(valkey_server, rewrite_urls=rewrites):
        outcome = await ended(waiting, await waiting.call("It"))
    assert (outcome.status, outcome.address) == (200, "https://api.example.com/x")


def test_stock_arq_finds_its_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOTLANE_REDIS_URL", "redis://127.0.0.1:6399/1")
    settings = program.WorkerSettings
    assert settings["queue_name"] == keys.integration_queue(0)
    assert settings["functions"][0].name == "call"
    with pytest.raises(AttributeError):
        _ = program.Nothing


# -- as a program -------------------------------------------------------------------------------------------------


def command(url: str, *arguments: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "BOTLANE_REDIS_URL": url, "BOTLANE_OPS": "127.0.0.1:0"}  # noqa: TID251 (a child's)
    return subprocess.Popen(
        [sys.executable, "-m", "services.integration_worker", *arguments],
        cwd=ROOT,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def start(valkey_server: str) -> Iterator[list["subprocess.Popen[str]"]]:
    """The programs a test starts; they end with it."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_after_a_kill_in_mid_call_get_goes_on_and_post_is_interrupted(
    waiting: Waiting, server: Server, valkey_server: str, start: list["subprocess.Popen[str]"], method: str
) -> None:
    server.answers = [server.hang, OK]
    await waiting.publish(responder("It", server.url, method=method))
    call_id = await waiting.call("It")
    start.append(command(valkey_server))
    await arrived(server)
    start[0].send_signal(signal.SIGKILL)
    start.append(command(valkey_server))
    outcome = await ended(waiting, call_id)
    expected = (None, ["interrupted", "200"]) if method == "GET" else ("interrupted", ["interrupted"])
    assert (outcome.failure, words(outcome)) == expected


async def test_it_says_that_it_works_and_ends_by_sigterm(
    waiting: Waiting, server: Server, valkey_server: str, start: list["subprocess.Popen[str]"]
) -> None:
    server.answers = [OK]
    await waiting.publish(responder("It", server.url))
    process = command(valkey_server)
    start.append(process)
    assert (await ended(waiting, await waiting.call("It"))).status == 200
    process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(process.wait, 60) == 0
    assert process.stderr is not None
    lines = [msgspec.json.decode(line) for line in process.stderr]
    assert [(line["event"], line["program"]) for line in lines] == [
        ("working", "integration-worker"),
        ("call", "integration-worker"),
    ]


@pytest.mark.parametrize("arguments", [(), ("--check",)])
def test_without_redis_it_says_so_and_exits_with_3(arguments: tuple[str, ...], tmp_path: Path) -> None:
    process = command(f"unix://{tmp_path}/none", *arguments)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "BOTLANE_REDIS_URL" in said


def test_the_check_of_a_program_that_does_not_run_is_1(valkey_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOTLANE_OPS", "127.0.0.1:1")
    process = command(valkey_server, "--check")
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "not ready" in said


def test_a_bad_setting_exits_with_2(valkey_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOTLANE_SHARDS", "many")
    process = command(valkey_server, "--check")
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "BOTLANE_SHARDS" in said
