"""Programs are killed at the worst moment; the transcript is that of an undisturbed run."""

import asyncio
import random
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import web
from arq.connections import ArqRedis

from shared.bot.source import BotSource
from shared.store import keys
from shared.store.bots import Bots
from tests.journeys.consumer import Consumer
from tests.journeys.counting_bot import ASK_GET, ASK_POST, BOT_ID, NOT_FOUND, counting_bot
from tests.journeys.programs import Programs
from tests.journeys.system import LoopbackApi

PROGRAMS = ("gateway", "dialog_worker", "integration_worker")
MESSAGES = 5
SPIN = 400_000
SEEDS = [pytest.param(seed, marks=[] if seed < 1 else [pytest.mark.proof]) for seed in range(20)]
MANIFEST = '[egress]\nprivate = ["127.0.0.0/8"]\n'


@pytest.fixture(scope="module")
def api() -> Iterator[LoopbackApi]:
    with LoopbackApi() as server:
        yield server


@pytest.fixture(scope="module")
def started(valkey_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    """Programs that outlive the tests, which start again what they kill."""
    with Programs(valkey_server, tmp_path_factory.mktemp("kills")) as started:
        started.start(*PROGRAMS)
        yield started


@pytest.fixture
async def programs(started: Programs, redis: ArqRedis, api: LoopbackApi) -> Programs:
    await Bots(redis, 3600).publish(BotSource(counting_bot(api.url, SPIN), MANIFEST))
    await started.ready(*PROGRAMS)
    return started


def transcript(consumer: Consumer) -> list[tuple[str, str]]:
    return [(message["from"], message.get("text", "")) for message in consumer.heard]


def bot_lines(consumer: Consumer) -> list[str]:
    return [text for sender, text in transcript(consumer) if sender == "bot"]


async def hears_counts(consumer: Consumer) -> None:
    while len(bot_lines(consumer)) < MESSAGES:
        await consumer.next()
    assert bot_lines(consumer) == [f"message {n}: word {n}" for n in range(1, MESSAGES + 1)]


async def send_all(consumer: Consumer) -> None:
    path = f"/v1/conversations/{consumer.conversation_id}/messages"
    for n in range(1, MESSAGES + 1):
        status, body = await consumer.request("POST", path, json={"id": f"m{n}", "text": f"word {n}"})
        assert status == 202, body


async def nothing_more(consumer: Consumer) -> None:
    """Read everything again from the start: each sequence once, in order, and nothing that was not heard."""
    path = f"/v1/conversations/{consumer.conversation_id}/messages?after="
    _, page = await consumer.request("GET", path)
    assert [message["id"] for message in page["messages"]] == [message["id"] for message in consumer.heard]
    assert page["messages"] == consumer.heard


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_dialog_worker_killed_between_begin_and_commit_changes_nothing(
    programs: Programs, redis: ArqRedis, seed: int
) -> None:
    chance = random.Random(seed)
    async with Consumer(programs.url, BOT_ID) as consumer, Consumer(programs.url, BOT_ID) as other:
        await asyncio.gather(send_all(consumer), send_all(other))
        for _ in range(chance.randrange(MESSAGES)):
            await consumer.next()
        await until_running(redis, consumer.conversation_id)
        programs.kill("dialog_worker")
        programs.start("dialog_worker")
        await asyncio.gather(hears_counts(consumer), hears_counts(other))
        await nothing_more(consumer)
        await nothing_more(other)


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_dialog_worker_killed_after_a_commit_changes_nothing(programs: Programs, seed: int) -> None:
    chance = random.Random(seed)
    async with Consumer(programs.url, BOT_ID) as consumer:
        await send_all(consumer)
        replies = chance.randrange(1, MESSAGES + 1)
        while len(bot_lines(consumer)) < replies:
            await consumer.next()
        programs.kill("dialog_worker")
        programs.start("dialog_worker")
        await hears_counts(consumer)
        await nothing_more(consumer)


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_get_goes_on_after_the_integration_worker_was_killed_in_mid_call(
    programs: Programs, api: LoopbackApi, seed: int
) -> None:
    chance = random.Random(seed)
    arrived = await slow_first(api, "/question", "it is so")
    async with Consumer(programs.url, BOT_ID) as consumer:
        await consumer.say(f"{ASK_GET} something")
        await asyncio.to_thread(arrived.wait, 60)
        await asyncio.sleep(chance.random() / 10)
        programs.kill("integration_worker")
        await consumer.say("meanwhile")
        programs.start("integration_worker")
        await consumer.hears("Answer: it is so")
        await consumer.hears("message 1: meanwhile")
        await nothing_more(consumer)


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_post_ends_as_interrupted_after_the_integration_worker_was_killed_in_mid_call(
    programs: Programs, api: LoopbackApi, seed: int
) -> None:
    chance = random.Random(seed)
    arrived = await slow_first(api, "/order", "done")
    before = len(api.requests)
    async with Consumer(programs.url, BOT_ID) as consumer:
        await consumer.say(f"{ASK_POST} something")
        await asyncio.to_thread(arrived.wait, 60)
        await asyncio.sleep(chance.random() / 10)
        programs.kill("integration_worker")
        await consumer.say("meanwhile")
        programs.start("integration_worker")
        await consumer.hears(NOT_FOUND)
        assert (await consumer.next())["text"].startswith("Order:")
        await consumer.hears("message 1: meanwhile")
        await nothing_more(consumer)
    assert len(api.requests) == before + 1


async def until_running(redis: ArqRedis, conversation_id: str) -> None:
    """Wait until a worker owns the conversation; one that is done already is as good a moment as any."""
    while await field(redis, conversation_id, "state") not in {b"running", b"idle"}:
        await asyncio.sleep(0.001)


async def field(redis: ArqRedis, conversation_id: str, name: str) -> Any:
    return await redis.hget(keys.conv(conversation_id), name)  # type: ignore[misc] # the library says "or a plain value"


async def slow_first(api: LoopbackApi, path: str, text: str) -> Any:
    """Let the first request of a path hang; return what is set when it arrived."""
    import threading

    arrived = threading.Event()

    async def answer(_: web.Request) -> web.Response:
        if not arrived.is_set():
            arrived.set()
            await asyncio.sleep(30)
        return web.json_response({"text": text})

    api.answers[path] = answer
    return arrived
