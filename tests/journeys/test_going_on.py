"""Conversations go on: over restarts, deploys, lost servers, slow APIs and hostile scripts."""

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web
from arq.connections import ArqRedis

from shared.bot.source import BotSource
from shared.store.bots import Bots
from shared.store.connection import connect
from tests.journeys.consumer import Consumer
from tests.journeys.counting_bot import ASK_GET, BOT_ID, NOT_FOUND, counting_bot, scripted_bot
from tests.journeys.programs import Programs
from tests.journeys.system import LoopbackApi, botlane_run, clean_environment
from tests.server import SERVER

MANIFEST = '[egress]\nprivate = ["127.0.0.0/8"]\n'


@pytest.fixture(scope="module")
def api() -> Iterator[LoopbackApi]:
    with LoopbackApi() as server:
        yield server


@pytest.fixture(scope="module")
def shared(valkey_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    """Programs for all tests that leave them as they are."""
    settings = {"BOTLANE_SCRIPT_SECONDS": "0.1", "BOTLANE_CONSOLE": "1"}
    names = ("gateway", "dialog_worker", "integration_worker")
    with Programs(valkey_server, tmp_path_factory.mktemp("shared"), **settings) as programs:
        programs.start(*names)
        asyncio.run(programs.ready(*names))
        yield programs


def written(folder: Path, export: bytes, manifest: str = MANIFEST) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "bot.json"
    path.write_bytes(export)
    path.with_name("bot.botlane.toml").write_text(manifest)
    return path


async def test_a_second_start_on_the_same_data_goes_on_where_it_was(tmp_path: Path, api: LoopbackApi) -> None:
    bot = written(tmp_path / "bot", counting_bot(api.url))
    with botlane_run(tmp_path / "data", [bot]) as running:
        async with Consumer(running.url, BOT_ID) as consumer:
            await consumer.say("one")
            await consumer.hears("message 1: one")
        assert running.stop() in {0, 130}
    assert not (tmp_path / "data" / "ready.json").exists()
    with botlane_run(tmp_path / "data", [bot]) as running:
        consumer.url = running.url
        async with consumer.resumed("2"):
            await consumer.say("two")
            await consumer.hears("message 2: two")


async def test_a_session_stays_on_its_version_while_a_new_one_is_deployed(
    shared: Programs, tmp_path: Path, valkey_server: str, redis: ArqRedis, api: LoopbackApi
) -> None:
    await Bots(redis, 3600).publish(BotSource(counting_bot(api.url), MANIFEST))
    async with Consumer(shared.url, BOT_ID) as before:
        await before.say("one")
        await before.hears("message 1: one")
        newer = written(tmp_path / "newer", counting_bot(api.url).replace(b"message ", b"number "))
        deploy = [sys.executable, "-m", "services.cli", "deploy", str(newer)]
        environment = {**clean_environment(), "BOTLANE_REDIS_URL": valkey_server}
        await asyncio.to_thread(subprocess.run, deploy, env=environment, check=True)
        await before.say("two")
        await before.hears("message 2: two")
        async with Consumer(shared.url, BOT_ID) as after:
            await after.say("one")
            await after.hears("number 1: one")


async def test_messages_that_arrive_during_a_call_are_answered_afterwards_in_order(
    shared: Programs, redis: ArqRedis, api: LoopbackApi
) -> None:
    release = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def answer(_: web.Request) -> web.Response:
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(release.wait(), loop))
        return web.json_response({"text": "at last"})

    api.answers["/question"] = answer
    await Bots(redis, 3600).publish(BotSource(counting_bot(api.url), MANIFEST))
    async with Consumer(shared.url, BOT_ID) as consumer:
        await consumer.say(f"{ASK_GET} it")
        for n in range(1, 4):
            await consumer.say(f"word {n}")
        release.set()
        await consumer.hears("Answer: at last")
        for n in range(1, 4):
            await consumer.hears(f"message {n}: word {n}")


async def test_a_refused_address_ends_the_call_and_the_conversation_goes_on(
    shared: Programs, redis: ArqRedis, api: LoopbackApi
) -> None:
    await Bots(redis, 3600).publish(BotSource(counting_bot(api.url), ""))  # no egress to inner addresses
    before = len(api.requests)
    async with Consumer(shared.url, BOT_ID) as consumer:
        await consumer.say(f"{ASK_GET} it")
        await consumer.hears(NOT_FOUND)
        await consumer.next()
        await consumer.say("well")
        await consumer.hears("message 1: well")
    assert len(api.requests) == before


async def test_a_server_that_was_killed_and_came_back_is_found_again_by_everybody(
    tmp_path: Path, api: LoopbackApi, short_folder: Path
) -> None:
    server = start_server(short_folder)
    redis = connect(f"unix://{short_folder}/s")
    await Bots(redis, 3600).publish(BotSource(counting_bot(api.url), MANIFEST))
    await redis.aclose()
    with Programs(f"unix://{short_folder}/s", tmp_path) as programs:
        programs.start("gateway", "dialog_worker", "integration_worker")
        await programs.ready("gateway", "dialog_worker", "integration_worker")
        async with Consumer(programs.url, BOT_ID) as consumer:
            await consumer.say("one")
            await consumer.hears("message 1: one")
            server.kill()
            server.wait()
            (short_folder / "log").unlink()
            path = f"/v1/conversations/{consumer.conversation_id}/messages"
            async with consumer.sending(path, {"text": "lost?"}) as answer:
                assert answer.status == 503
                assert int(answer.headers["Retry-After"]) > 0
                assert "error" in await answer.json()
            server = start_server(short_folder)
            await accepted(consumer, path, {"id": "two", "text": "two"})
            while (await consumer.next()).get("text") != "message 2: two":
                pass
            api.answers["/question"] = {"text": "back"}
            await consumer.say(f"{ASK_GET} it")
            await consumer.hears("Answer: back")
    server.kill()
    server.wait()


@pytest.mark.parametrize(
    ("name", "script", "code"),
    [
        ("a loop", "while (true) {}", "script-stopped"),
        ("a loop that catches", "for (;;) { try { while (true) {} } catch (e) {} }", "script-stopped"),
        ("recursion", "function f() { return f() + 1; } f();", "script-failed"),
        ("a memory bomb", "var a = []; while (true) a.push(new Array(100000).join('x'));", "script-"),
        ("a native hang", "var s = new Array(1000001).join('a'); (s + s).indexOf(s + 'b');", "script-stopped"),
    ],
)
async def test_a_hostile_script_is_traced_and_the_flow_continues(
    shared: Programs, redis: ArqRedis, name: str, script: str, code: str
) -> None:
    await Bots(redis, 3600).publish(BotSource(scripted_bot(script)))
    async with Consumer(shared.url, BOT_ID) as consumer:
        for turn in (1, 2):
            await consumer.say(name)
            await consumer.hears("still here")
            lines = (await consumer.trace())[turn - 1]["lines"]
            assert any(line["code"].startswith(code) for line in lines), lines


@pytest.fixture
def short_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bl-", dir="/tmp") as folder:  # the path of a socket may have 107 bytes
        yield Path(folder)


async def accepted(consumer: Consumer, path: str, body: dict[str, str]) -> None:
    """Send until it is taken, as a client does that was asked to retry."""
    while True:
        async with consumer.sending(path, body) as answer:
            if answer.status == 202:
                return
            assert answer.status == 503
        await asyncio.sleep(0.1)


def start_server(folder: Path) -> "subprocess.Popen[bytes]":
    server = subprocess.Popen(
        [
            *(SERVER, "--port", "0", "--unixsocket", f"{folder}/s", "--dir", str(folder)),
            *("--save", "", "--appendonly", "yes", "--appendfsync", "always", "--logfile", f"{folder}/log"),
        ]
    )
    while "Ready to accept connections" not in (folder / "log").read_text() if (folder / "log").exists() else True:
        time.sleep(0.01)
    return server
