"""The program: how it starts, refuses to start, says how it is, and ends."""

import asyncio
import contextlib
import json
import os
import re
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest

from services.gateway.__main__ import PROGRAM
from shared.store.bots import Bots
from tests.ports import free_address, free_port

SECRET = "a-secret-for-tests-only"
WITHIN = 60.0


def environment(url: str, **changes: str) -> dict[str, str]:
    given = {
        "BOTLANE_REDIS_URL": url,
        "BOTLANE_SECRET": SECRET,
        "BOTLANE_PORT": str(free_port()),
        "BOTLANE_OPS": free_address(),
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("BOTLANE_")}  # noqa: TID251 - for a child
    return inherited | given | changes


async def started(variables: dict[str, str], *arguments: str) -> Process:
    command = (sys.executable, "-m", "services.gateway", *arguments)
    return await asyncio.create_subprocess_exec(*command, env=variables, stdout=PIPE, stderr=PIPE)


async def ended(process: Process) -> tuple[int, str]:
    """Wait for the end; return exit code and standard error."""
    async with asyncio.timeout(WITHIN):
        _, error = await process.communicate()
    assert process.returncode is not None
    return process.returncode, error.decode()


@contextlib.asynccontextmanager
async def running(variables: dict[str, str]) -> AsyncIterator[Process]:
    process = await started(variables)
    try:
        assert process.stderr is not None
        async with asyncio.timeout(WITHIN):
            line = json.loads(await process.stderr.readline())
        assert (line["event"], line["program"]) == ("listening", "gateway")
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def test_it_serves_both_ports_until_it_is_asked_to_end(valkey_server: str) -> None:
    variables = environment(valkey_server)
    async with running(variables) as process, aiohttp.ClientSession() as client:
        for address in (f"127.0.0.1:{variables['BOTLANE_PORT']}", variables["BOTLANE_OPS"]):
            async with client.get(f"http://{address}/readyz") as answer:
                assert answer.status == 200
        async with client.get(f"http://127.0.0.1:{variables['BOTLANE_PORT']}/metrics") as answer:
            assert answer.status == 404
        process.send_signal(signal.SIGTERM)
        code, _ = await ended(process)
    assert code == 0


async def polls(client: aiohttp.ClientSession, ops: str) -> float:
    """How many reads wait in the gateway."""
    async with client.get(f"http://{ops}/metrics") as answer:
        [line] = re.findall(r"^botlane_gateway_polls (.+)$", await answer.text(), re.MULTILINE)
    return float(line)


async def test_those_who_wait_do_not_keep_it_from_ending(valkey_server: str, bots: Bots) -> None:
    variables = environment(valkey_server)
    base = f"http://127.0.0.1:{variables['BOTLANE_PORT']}"
    async with running(variables) as process, aiohttp.ClientSession(base) as client:
        async with client.post("/v1/bots/shop/conversations", json={}) as answer:
            created = await answer.json()
        path = f"/v1/conversations/{created['conversationId']}"
        headers = {"Authorization": f"Bearer {created['token']}"}
        async with client.ws_connect(f"{path}/stream", headers=headers) as stream:
            waiting = asyncio.create_task(client.get(f"{path}/messages?wait=30", headers=headers))
            while await polls(client, variables["BOTLANE_OPS"]) == 0:
                await asyncio.sleep(0.01)
            process.send_signal(signal.SIGINT)
            assert (await stream.receive()).data == 1001
            async with await waiting as answer:
                assert await answer.json() == {"messages": [], "cursor": "0"}
        code, _ = await ended(process)
    assert code == 0


async def test_a_port_in_use_is_said_with_a_remedy(valkey_server: str) -> None:
    variables = environment(valkey_server)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(variables["BOTLANE_PORT"])))
        taken.listen()
        code, error = await ended(await started(variables))
    assert code == 2
    assert variables["BOTLANE_PORT"] in error
    assert "BOTLANE_PORT" in error
    assert "Traceback" not in error


async def test_without_a_secret_it_does_not_start(valkey_server: str) -> None:
    code, error = await ended(await started(environment(valkey_server, BOTLANE_SECRET="")))
    assert code == 2
    assert "BOTLANE_SECRET" in error


async def test_without_redis_it_ends_with_3(tmp_path: object) -> None:
    variables = environment(f"unix://{tmp_path}/nobody", BOTLANE_SECRET=SECRET)
    for arguments in ((), ("--check",)):
        code, error = await ended(await started(variables, *arguments))
        assert code == 3
        assert "BOTLANE_REDIS_URL" in error
        assert "Traceback" not in error


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], None]:
    def give(variables: dict[str, str]) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return give


def test_the_check_asks_the_running_program(valkey_server: str, given: Callable[[dict[str, str]], None]) -> None:
    given({"BOTLANE_REDIS_URL": valkey_server, "BOTLANE_SECRET": SECRET, "BOTLANE_OPS": "127.0.0.1:1"})
    assert PROGRAM.main(["--check"]) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BOTLANE_PORT", "99999"),
        ("BOTLANE_TRUSTED_PROXIES", "proxy"),
        ("BOTLANE_HOST", "0.0.0.0"),
        ("BOTLANE_OPS", "203.0.113.1:1"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(
    valkey_server: str,
    given: Callable[[dict[str, str]], None],
    capsys: pytest.CaptureFixture[str],
    name: str,
    value: str,
) -> None:
    given(environment(valkey_server, BOTLANE_CONSOLE="1", **{name: value}))
    assert PROGRAM.main([]) == 2
    assert name in capsys.readouterr().err
