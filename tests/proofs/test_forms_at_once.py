"""A thousand forms at once, into one conversation and into a thousand: each applied once, in the order of acceptance."""

import asyncio
import hashlib
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from arq.connections import ArqRedis

from services.dialog_worker.session_fields import read_session
from services.gateway.errors import WEB_VIEW_PATH
from shared.bot.source import BotSource
from shared.queue.receipts import read_receipt
from shared.store import keys
from shared.store.bots import Bots
from tests.journeys.programs import Programs
from tests.proofs.form import LONG, Record, record_figures
from tests.unit.dialog.bots import BOT_ID, dialog, export, starter, text

COUNT = 5000 if LONG else 1000
CONNECTIONS = 1000
DOUBLED = 50
"""So many of the forms are sent by a double click."""
APPLIED_WITHIN = 300.0 if LONG else 60.0
NOTE = (
    "var seen = botContext.getBotVariable('seen') || '';"
    "botContext.setBotVariable('seen', seen + botContext.getWebViewVariable('n') + ' ', true);"
)
pytestmark = [pytest.mark.proof, pytest.mark.timeout(900, method="thread")]


@pytest.fixture
async def programs(valkey_server: str, redis: ArqRedis, tmp_path: Path) -> AsyncIterator[Programs]:
    bot = export(dialog("Forms", starter("sent"), text("Note", "BLANK_MESSAGE", pre=NOTE)))
    await Bots(redis, 3600).publish(BotSource(json.dumps(bot).encode()))
    with Programs(valkey_server, tmp_path, BOTLANE_INBOX_LIMIT="100000") as started:
        started.start("gateway", "dialog_worker")
        await started.ready("gateway", "dialog_worker")
        yield started


async def begin(http: aiohttp.ClientSession) -> dict[str, str]:
    async with http.post(f"/v1/bots/{BOT_ID}/conversations") as answer:
        assert answer.status == 201
        return dict(await answer.json())


async def post(http: aiohttp.ClientSession, created: dict[str, str], n: int) -> tuple[int, str]:
    """Post the form with this number; return its place in the conversation, and its receipt."""
    talk = created["conversationId"]
    body = {"botId": BOT_ID, "conversationId": talk, "userId": created["userId"], "message": "sent"}
    body |= {"contextVariables": [{"name": "n", "value": n}]}  # type: ignore[dict-item]
    headers = {"Authorization": hashlib.sha256(f"{talk} || {BOT_ID}".encode()).hexdigest()}
    async with http.post(WEB_VIEW_PATH, json=body, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        receipt = str((await answer.json())["receipt"])
    return int(receipt.rpartition("-")[2]), receipt


async def applied(redis: Any, talk: str) -> list[int]:
    """The numbers that the bot has seen when everything is handled, in its order."""
    async with asyncio.timeout(APPLIED_WITHIN):
        while await redis.hget(keys.conv(talk), "state") != b"idle":
            await asyncio.sleep(0.02)
    session = read_session({name.decode(): raw for name, raw in (await redis.hgetall(keys.session(talk))).items()})
    assert session is not None
    return [int(n) for n in session.session["seen"].split()]


async def told(redis: ArqRedis, receipts: set[str]) -> Counter[tuple[str, str, str]]:
    """How often the receipts tell each state, what became of the message, and who read the variable."""
    found = [await read_receipt(redis, receipt) for receipt in receipts]
    assert None not in found
    return Counter((one.state, one.message, " ".join(name for name, _ in one.read_by)) for one in found if one)


async def test_a_thousand_forms_at_once_into_one_conversation(
    programs: Programs, redis: ArqRedis, record_property: Record
) -> None:
    begun = time.monotonic()
    async with aiohttp.ClientSession(programs.url, connector=aiohttp.TCPConnector(limit=CONNECTIONS)) as http:
        created = await begin(http)
        numbers = sorted([*range(COUNT), *range(DOUBLED)])
        posted = await asyncio.gather(*(post(http, created, n) for n in numbers))
    accepted = time.monotonic()
    by_place = {place: n for (place, _), n in zip(posted, numbers, strict=True)}
    assert len(by_place) == COUNT, "what was sent twice has one place"
    assert await applied(redis, created["conversationId"]) == [n for _, n in sorted(by_place.items())]
    ended = time.monotonic()
    assert await told(redis, {receipt for _, receipt in posted[-1000:]}) == {
        ("applied", "routed", "Note"): len({receipt for _, receipt in posted[-1000:]})
    }
    times = {"accepted": accepted - begun, "applied": ended - begun}
    record_figures(record_property, "forms into one conversation", Counter(forms=COUNT, doubled=DOUBLED), times)


async def test_a_thousand_forms_at_once_into_as_many_conversations(
    programs: Programs, redis: ArqRedis, record_property: Record
) -> None:
    async with aiohttp.ClientSession(programs.url, connector=aiohttp.TCPConnector(limit=CONNECTIONS)) as http:
        talks = await asyncio.gather(*(begin(http) for _ in range(1000)))
        begun = time.monotonic()
        posted = await asyncio.gather(*(post(http, created, n) for n, created in enumerate(talks)))
    seen = [await applied(redis, created["conversationId"]) for created in talks]
    ended = time.monotonic()
    assert seen == [[n] for n in range(1000)]
    assert await told(redis, {receipt for _, receipt in posted}) == {("applied", "routed", "Note"): 1000}
    record_figures(record_property, "forms into as many conversations", Counter(forms=1000), {"applied": ended - begun})
