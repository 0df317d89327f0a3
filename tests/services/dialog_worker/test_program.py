"""The dialog worker as a program, with real turn processes: started, asked, answered by, stopped."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from arq.connections import ArqRedis

from services.readiness import is_ready
from services.settings import Settings, child_environment
from shared.store import keys
from shared.store.connection import connect
from tests.ports import free_address
from tests.processes import children_of, wait_until_gone
from tests.services.dialog_worker.conftest import Talks
from tests.services.dialog_worker.conversations import Talk, repeats
from tests.store.doorbell_parts import until
from tests.store.own_server import OwnServer, answers

ROOT = Path(__file__).parents[3]
PROGRAM = (sys.executable, "-m", "services.dialog_worker")
STOCK = (str(Path(sys.executable).with_name("arq")), "services.dialog_worker.worker.WorkerSettings")
WITHIN = 120.0


def settings(url: str, **changes: object) -> Settings:
    usual = Settings(redis_url=url, ops=free_address(), turn_processes=1, completion_wait=5)
    return msgspec.structs.replace(usual, **changes)


def start(of: Settings, *command: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(command, cwd=ROOT, env=child_environment(of), stderr=subprocess.PIPE)


async def ended(program: "subprocess.Popen[bytes]") -> tuple[int, str]:
    _, said = await asyncio.to_thread(program.communicate, timeout=WITHIN)
    return program.returncode, said.decode()


@asynccontextmanager
async def running(of: Settings) -> AsyncIterator["subprocess.Popen[bytes]"]:
    program = start(of, *PROGRAM)
    try:
        async with asyncio.timeout(WITHIN):
            while not await asyncio.to_thread(is_ready, of.ops):
                assert program.poll() is None
                await asyncio.sleep(0.02)
        yield program
    finally:
        program.kill()
        await ended(program)


async def answered(talk: Talk, count: int) -> list[str]:
    async with asyncio.timeout(WITHIN):
        while len(replies := await talk.replies()) < count:
            await asyncio.sleep(0.01)
    return replies


async def test_check_says_yes_when_the_program_is_ready_and_no_when_it_is_not(valkey_server: str) -> None:
    own = settings(valkey_server)
    async with running(own):
        while (asked := await ended(start(own, *PROGRAM, "--check"))) != (0, ""):
            assert asked[0] == 1, asked  # it asks for three seconds, which are soon over on a busy machine
    code, said = await ended(start(own, *PROGRAM, "--check"))
    assert code == 1
    assert "not ready" in said


@pytest.mark.parametrize("arguments", [(), ("--check",)])
async def test_without_redis_it_ends_with_3_and_says_what_to_mend(arguments: tuple[str, ...]) -> None:
    code, said = await ended(start(settings("unix:///tmp/nobody-listens-here"), *PROGRAM, *arguments))
    assert code == 3
    assert "BOTLANE_REDIS_URL" in said
    assert "Traceback" not in said


async def test_an_operations_port_in_use_ends_it_with_2(valkey_server: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ops = f"127.0.0.1:{taken.getsockname()[1]}"
        code, said = await ended(start(settings(valkey_server, ops=ops), *PROGRAM))
    assert code == 2
    assert f"BOTLANE_OPS: {ops} cannot be used" in said


async def test_it_answers_and_stops_on_sigterm_without_leaving_a_process(valkey_server: str, talk_with: Talks) -> None:
    talk = await talk_with()
    async with running(settings(valkey_server)) as program:
        await talk.say("hello", "again")
        assert await answered(talk, 2) == ["You said hello.", "You said again."]
        turn_processes = children_of(program.pid)
        assert turn_processes
        program.send_signal(signal.SIGTERM)
        code, _ = await ended(program)
        assert code == 0
        assert not [pid for pid in turn_processes if Path(f"/proc/{pid}").exists()]
    assert await talk.redis.zcard(keys.dialog_queue(0)) == 0


async def test_its_turn_processes_end_with_it(valkey_server: str, talk_with: Talks) -> None:
    await talk_with()
    async with running(settings(valkey_server)) as program:
        turn_processes = children_of(program.pid)
        os.kill(program.pid, signal.SIGKILL)
        wait_until_gone(*turn_processes)


async def test_every_shard_is_drained_and_swept(valkey_server: str, talk_with: Talks, redis: ArqRedis) -> None:
    talk = await talk_with()
    talk.id = keys.new_conversation_id(1)
    await talk.create()
    async with running(settings(valkey_server, shards=2)):
        await talk.say("hello")
        assert await answered(talk, 1) == ["You said hello."]
        async with asyncio.timeout(WITHIN):
            while not (await redis.exists(keys.sweeper(0)) and await redis.exists(keys.sweeper(1))):
                await asyncio.sleep(0.01)


async def test_a_conversation_whose_job_was_lost_is_recovered(
    valkey_server: str, talk_with: Talks, redis: ArqRedis
) -> None:
    talk = await talk_with()
    await talk.say("hello")
    await redis.delete(keys.dialog_queue(0), keys.bell(keys.dialog_queue(0)))
    async with running(settings(valkey_server)):
        assert await answered(talk, 1) == ["You said hello."]


async def test_a_stock_arq_worker_drains_the_same_queue(valkey_server: str, talk_with: Talks) -> None:
    talk = await talk_with()
    await talk.say("hello")
    code, said = await ended(start(settings(valkey_server), *STOCK, "--burst"))
    assert (code, await talk.replies()) == (0, ["You said hello."]), said


async def test_it_outlives_a_restart_of_redis() -> None:
    with tempfile.TemporaryDirectory(prefix="bl-", dir="/tmp") as folder:  # the path of a socket may have 107 bytes
        server = OwnServer(Path(folder))
        redis = connect(server.url)
        await until(lambda: answers(redis))
        talk = Talk(redis, Settings(), repeats)
        await talk.create()
        async with running(settings(server.url)):
            await talk.say("before")
            await answered(talk, 1)
            server.stop()
            await asyncio.sleep(0.3)
            server.start()
            await until(lambda: answers(redis))
            await talk.say("after")
            assert await answered(talk, 2) == ["You said before.", "You said after."]
        await redis.aclose()
        server.stop()
