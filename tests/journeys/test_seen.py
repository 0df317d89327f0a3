"""What operators see: every number has a value after real work, and no line holds what anybody said."""

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from arq.connections import ArqRedis
from prometheus_client.parser import text_string_to_metric_families

from services.cli.metrics_help import EXPORTED_BY, defined, exported_name
from services.dialog_worker.metrics import PHASES
from shared.bot.source import BotSource
from shared.store.bots import Bots
from tests.journeys.consumer import Consumer
from tests.journeys.counting_bot import BOT_ID, counting_bot
from tests.journeys.programs import Programs
from tests.journeys.system import LoopbackApi

PROGRAMS = {
    "gateway": "The gateway",
    "dialog_worker": "The dialog worker",
    "integration_worker": "The integration worker",
}
CANARY = "canary-7f3a"
TURNS, CALLS = 9, 2  # six messages, a form, the outcomes of two calls
PROCESSES = 2  # for turns, one of them in reserve
_SCRIPT = """
var said = botContext.getCurrentUserMessage();
botContext.printDebugMessage('CANARY-log ' + said);
if (said.indexOf('throw') >= 0) throw new Error('CANARY-error ' + said);
if (said.indexOf('spin') >= 0) while (true) {}
if (said.indexOf('loop') >= 0) botContext.sendMessage('CANARY-sent ' + said);
"""

Numbers = dict[tuple[str, str], float]


def talkative_bot(api_url: str) -> bytes:
    """The counting bot, with scripts that log, throw, spin and say secrets."""
    bot = json.loads(counting_bot(api_url))
    for interaction in bot["conversationMessage"]:
        if interaction["name"] == "counted":
            interaction["preProcessMessage"] += _SCRIPT.replace("CANARY", CANARY)
    return json.dumps(bot).encode()


@pytest.fixture
async def programs(valkey_server: str, redis: ArqRedis, tmp_path: Path) -> AsyncIterator[Programs]:
    with LoopbackApi() as api, Programs(valkey_server, tmp_path, BOTLANE_SCRIPT_SECONDS="0.1") as started:
        api.answers["/question"] = {"text": f"{CANARY}-api", f"{CANARY}-key": 1}
        await Bots(redis, 3600).publish(BotSource(talkative_bot(api.url), _MANIFEST))
        started.start(*PROGRAMS)
        await started.ready(*PROGRAMS)
        yield started


_MANIFEST = '[egress]\nprivate = ["127.0.0.0/8"]\n'


async def real_work(programs: Programs) -> None:
    """Everything a consumer, a form, an API and a bot's script can say, and some of it refused."""
    async with Consumer(programs.url, BOT_ID) as consumer:
        path = f"/v1/conversations/{consumer.conversation_id}/messages"
        for said in ("hello", "throw", "spin", "loop"):
            await send(consumer, f"{CANARY}-consumer {said}")
        assert not (await send(consumer, f"ask {CANARY}-question", id="asked"))["duplicate"]
        await heard(consumer, f"Answer: {CANARY}-api")
        assert (await send(consumer, f"ask {CANARY}-question", id="asked"))["duplicate"]
        await send(consumer, f"order {CANARY}-order")  # the API has no such address
        await fill_in(consumer)
        await heard(consumer, f"{CANARY}-form")
        json_headers = {**consumer.headers, "Content-Type": "application/json"}
        refused = [
            await consumer.request("POST", path, data=f'{{"text": "{CANARY}-broken'.encode(), headers=json_headers),
            await consumer.request("POST", path, json={"text": "hi"}, headers={"Authorization": f"Bearer {CANARY}"}),
            await consumer.request("GET", f"/v1/{CANARY}?{CANARY}={CANARY}"),
            await consumer.request("GET", f"{path}?after={CANARY}"),
        ]
        assert [status for status, _ in refused] == [400, 401, 404, 400]
        await consumer.request("GET", f"{path}?wait=1&after={consumer.heard[-1]['id']}")


async def send(consumer: Consumer, text: str, **more: str) -> dict[str, Any]:
    path = f"/v1/conversations/{consumer.conversation_id}/messages"
    status, accepted = await consumer.request("POST", path, json={"text": text, **more})
    assert status == 202, accepted
    return accepted


async def heard(consumer: Consumer, text: str) -> None:
    """Wait until the bot says something with this in it."""
    while True:
        message = await consumer.next()
        if message["from"] == "bot" and text in message.get("text", ""):
            return


async def fill_in(consumer: Consumer) -> None:
    checksum = hashlib.sha256(f"{consumer.conversation_id} || {BOT_ID}".encode()).hexdigest()
    body: dict[str, Any] = {
        "botId": BOT_ID,
        "conversationId": consumer.conversation_id,
        "userId": consumer.user_id,
        "message": f"{CANARY}-form",
        "contextVariables": [{"name": f"{CANARY}-name", "value": f"{CANARY}-value"}],
    }
    status, answer = await consumer.request(
        "POST", "/thirdparty-services-0.1/webview", json=body, headers={"Authorization": checksum}
    )
    assert status == 200, answer


async def numbers(programs: Programs, name: str) -> tuple[set[str], Numbers]:
    """The names a program exports, and the sum of each series by name and its first label."""
    async with aiohttp.ClientSession() as client, client.get(f"http://{programs.ops(name)}/metrics") as answer:
        text = await answer.text()
    found: Numbers = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = (sample.name, next(iter(sample.labels.values()), ""))
            found[key] = found.get(key, 0) + sample.value
    return set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE)), found


async def test_after_real_work_every_number_is_there_and_no_log_line_holds_what_was_said(programs: Programs) -> None:
    await real_work(programs)
    await every_documented_number_is_there(programs)
    nothing_anybody_said_is_logged(programs)


async def all_is_counted(programs: Programs) -> None:
    """Wait until the programs have counted what the consumer has heard of already."""
    while (
        await programs.metric("dialog_worker", "botlane_turns_total") < TURNS
        or await programs.metric("integration_worker", "botlane_call_seconds_count") < CALLS
        or programs.log("integration_worker").count('"event":"call"') < CALLS
        or await programs.metric("dialog_worker", "botlane_turn_processes") < PROCESSES
    ):
        await asyncio.sleep(0.05)


async def every_documented_number_is_there(programs: Programs) -> None:
    await all_is_counted(programs)
    seen: dict[str, Numbers] = {}
    for name, title in PROGRAMS.items():
        exported, seen[name] = await numbers(programs, name)
        documented = {
            exported_name(metric) for part in ("Every program", title) for metric in defined(EXPORTED_BY[part])
        }
        assert documented <= exported, name
        assert seen[name][("botlane_redis_reachable", "")] == 1
        assert seen[name][("botlane_conversations_alive", "0")] == 1
        assert seen[name][("botlane_queue_oldest_seconds", "dialog")] == 0
    gateway, dialog, calls = (seen[name] for name in PROGRAMS)
    assert gateway[("botlane_gateway_accepted_total", "message")] == 6
    assert gateway[("botlane_gateway_accepted_total", "web_view")] == 1
    assert gateway[("botlane_gateway_duplicates_total", "message")] == 1
    assert gateway[("botlane_gateway_refused_total", "unauthorized")] == 1
    assert gateway[("botlane_gateway_refused_total", "invalid_json")] == 1
    assert gateway[("botlane_gateway_conversations_total", "")] == 1
    assert gateway[("botlane_gateway_requests_total", "POST")] >= 9
    assert gateway[("botlane_gateway_request_seconds_count", "/v1/conversations/{conversation}/messages")] >= 7
    turns = sum(dialog[("botlane_turns_total", kind)] for kind in ("message", "web_view", "outcome"))
    assert turns == TURNS
    assert dialog[("botlane_turn_seconds_count", "")] == turns
    for phase in PHASES:
        assert dialog[("botlane_turn_phase_seconds_count", phase)] > 0, phase
    assert dialog[("botlane_turn_phase_seconds_sum", "inbox")] < 60, "by Redis' clock"
    assert dialog[("botlane_script_seconds_count", "")] >= 6
    assert dialog[("botlane_limits_hit_total", "script-stopped")] == 1
    assert dialog[("botlane_replies_total", "")] >= 8
    assert dialog[("botlane_turn_processes", "idle")] + dialog[("botlane_turn_processes", "busy")] >= PROCESSES
    assert calls[("botlane_calls_total", "Question")] == 1
    assert calls[("botlane_calls_total", "Order")] == 1
    assert calls[("botlane_call_attempts_total", "2xx")] == 1
    assert calls[("botlane_call_attempts_total", "4xx")] == 1
    assert calls[("botlane_call_seconds_count", "")] == CALLS


def nothing_anybody_said_is_logged(programs: Programs) -> None:
    lines = [json.loads(line) for name in PROGRAMS for line in programs.log(name).splitlines()]
    assert CANARY not in str(lines)
    calls = [line for line in lines if line["event"] == "call"]
    assert [(line["integration"], line["outcome"]) for line in calls] == [("Question", "200"), ("Order", "404")]
    assert all(re.fullmatch(r"0-[0-9a-f]{32}", line["conversation"]) and line["turn"] > 0 for line in calls)


@pytest.mark.proof
async def test_without_redis_each_program_says_so_once_and_still_serves_its_numbers(tmp_path: Path) -> None:
    from tests.store.own_server import OwnServer

    folder = tmp_path / "redis"
    folder.mkdir()
    server = OwnServer(folder)
    try:
        with Programs(server.url, tmp_path) as programs:
            programs.start(*PROGRAMS)
            await programs.ready(*PROGRAMS)
            server.stop()
            await asyncio.sleep(3)
            for name in PROGRAMS:
                _, found = await numbers(programs, name)
                assert found[("botlane_redis_reachable", "")] == 0
                assert ("botlane_queue_oldest_seconds", "dialog") not in found
            server.start()
            await programs.ready(*PROGRAMS)
            await asyncio.sleep(3)
            for name in PROGRAMS:
                told = [json.loads(line)["event"] for line in programs.log(name).splitlines()]
                assert told.count("Redis is away: it is waited for") == 1, name
                assert told.count("Redis is back") == 1, name
    finally:
        server.stop()
