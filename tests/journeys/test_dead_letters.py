"""An event that the engine cannot handle: a dead letter with its reason, and a conversation that goes on."""

import asyncio
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from arq.connections import ArqRedis

from shared.bot.source import BotSource
from shared.store.bots import Bots
from tests.journeys.consumer import Consumer
from tests.journeys.counting_bot import BOT_ID, stuck_bot
from tests.journeys.programs import Programs
from tests.journeys.system import clean_environment

SORRY = "Something is broken here, please try again later."


async def fill_in(consumer: Consumer, **variables: str) -> None:
    """Post variables as an external form does."""
    body = {"botId": BOT_ID, "conversationId": consumer.conversation_id, "userId": consumer.user_id}
    digest = hashlib.sha256(f"{consumer.conversation_id} || {BOT_ID}".encode()).hexdigest()
    status, answer = await consumer.request(
        "POST",
        "/thirdparty-services-0.1/webview",
        json={**body, "contextVariables": variables},
        headers={"Authorization": digest},
    )
    assert status == 200, answer


async def dead(url: str, *words: str) -> str:
    """Run `botlane dead` and return what it prints."""
    command = [sys.executable, "-m", "services.cli", "dead", *words]
    environment = {**clean_environment(), "BOTLANE_REDIS_URL": url}
    ended = await asyncio.to_thread(subprocess.run, command, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return str(ended.stdout)


@pytest.mark.proof
async def test_an_event_that_fails_three_times_is_kept_with_its_reason_and_can_be_retried_when_the_cause_is_gone(
    valkey_server: str, redis: ArqRedis, tmp_path: Path
) -> None:
    await Bots(redis, 3600).publish(BotSource(stuck_bot(SORRY)))
    with Programs(valkey_server, tmp_path, BOTLANE_SCRIPT_SECONDS="0.05") as programs:
        programs.start("gateway", "dialog_worker")
        await programs.ready("gateway", "dialog_worker")
        async with Consumer(programs.url, BOT_ID) as consumer:
            await consumer.say("one")
            await consumer.hears("message 1: one")
            await fill_in(consumer, stuck="yes")
            await consumer.say("poison")
            async with asyncio.timeout(60):
                while not (await redis.xlen("dead:{s0}")):
                    await asyncio.sleep(0.1)
            await consumer.hears(SORRY)
            [letter] = json.loads(await dead(valkey_server, "list", "--json"))
            assert letter["reason"] == "engine"
            assert letter["note"] == "4 scripts of one turn had to be killed"
            assert letter["conversation"] == consumer.conversation_id
            await fill_in(consumer, stuck="no")
            await consumer.say("two")
            await consumer.hears("message 2: two")
            await dead(valkey_server, "retry", letter["id"])
            await consumer.hears("message 3: poison")
            assert json.loads(await dead(valkey_server, "list", "--json")) == []
