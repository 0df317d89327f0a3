"""A conversation is forgotten while a worker is in the middle of its turn: nothing of it comes back."""

import asyncio
import signal
from pathlib import Path

import pytest
from arq.connections import ArqRedis

from services.cli.forgetting import Forgetting
from services.settings import Settings
from shared.bot.source import BotSource
from shared.store import keys
from shared.store.bots import Bots
from tests.journeys.consumer import Consumer
from tests.journeys.counting_bot import BOT_ID, counting_bot
from tests.journeys.programs import Programs
from tests.journeys.redis_contents import keys_with

SPIN = 3_000_000  # some tenths of a second in a script


@pytest.mark.proof
async def test_a_worker_in_mid_turn_brings_nothing_back(valkey_server: str, redis: ArqRedis, tmp_path: Path) -> None:
    await Bots(redis, 3600).publish(BotSource(counting_bot("http://127.0.0.1:1", SPIN)))
    with Programs(valkey_server, tmp_path) as programs:
        programs.start("gateway", "dialog_worker")
        await programs.ready("gateway", "dialog_worker")
        async with Consumer(programs.url, BOT_ID) as consumer, asyncio.timeout(60):
            await consumer.say("one")
            await consumer.hears("message 1: one")
            await consumer.say("two")
            conv = keys.conv(consumer.conversation_id)
            while await redis.hget(conv, "state") != b"running":  # type: ignore[misc] # the stubs of redis
                await asyncio.sleep(0.001)
            programs.send("dialog_worker", signal.SIGSTOP)
            removed = await Forgetting(redis, Settings()).user(consumer.user_id)
            assert removed.conversations == [consumer.conversation_id]
            assert {"conv", "session", "outbox", "inbox"} <= set(removed.keys)
            programs.send("dialog_worker", signal.SIGCONT)
            await another_talks(programs.url)
            status, answer = await consumer.request("GET", f"/v1/conversations/{consumer.conversation_id}/messages")
            assert (status, answer["error"]["code"]) == (404, "not_found")
            left = keys_with(valkey_server, consumer.conversation_id, consumer.user_id)
            assert [name for name in left if not name.endswith(":bell")] == []


async def another_talks(url: str) -> None:
    """Let the worker do as much for somebody else as it still had to do for the one who was forgotten."""
    async with Consumer(url, BOT_ID) as other:
        for number in (1, 2):
            await other.say("hello")
            await other.hears(f"message {number}: hello")
