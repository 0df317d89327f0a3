"""A gateway on loopback over the private server, with one bot published, and conversations on it."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from aiohttp import ClientSession, web
from arq.connections import ArqRedis

from services.gateway.app import build_app
from services.gateway.listening import listen
from shared.bot.source import BotSource
from shared.queue import scripts
from shared.store.bots import Bots
from tests.services.gateway.loopback import (
    EXPORT,
    SETTINGS,
    Conversation,
    Gateway,
    StartConversation,
    StartGateway,
)


@pytest.fixture(autouse=True)
def _posted_for_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a body that is posted again be known for a minute, not for two seconds: a busy machine may take those."""
    usual, two_seconds = scripts.source, "POSTED_TTL, RECEIPT_TTL, MOST_RECEIPTS = 2000,"

    def longer(name: str) -> str:
        text = usual(name)
        assert (two_seconds in text) == (name == "ingest")
        return text.replace(two_seconds, two_seconds.replace("2000", "60000"))

    monkeypatch.setattr(scripts, "source", longer)


@pytest.fixture
async def bots(redis: ArqRedis) -> Bots:
    published = Bots(redis, 3600)
    await published.publish(BotSource(msgspec.json.encode(EXPORT)))
    return published


@pytest.fixture
async def start_gateway(redis: ArqRedis, bots: Bots) -> AsyncIterator[StartGateway]:
    """Starts gateways with settings of one's own, as the program does."""
    started: list[Gateway] = []

    async def start(connection: ArqRedis = redis, **changes: Any) -> Gateway:
        app = build_app(msgspec.structs.replace(SETTINGS, **changes), connection)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.5)
        await runner.setup()
        await listen(runner, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        started.append(Gateway(runner, ClientSession(url), url))
        return started[-1]

    yield start
    for gateway in started:
        await gateway.client.close()
        await gateway.stop()


@pytest.fixture
async def gateway(start_gateway: StartGateway) -> Gateway:
    return await start_gateway()


@pytest.fixture
def conversation(gateway: Gateway) -> StartConversation:
    """Creates conversations on `gateway`, or on another one."""

    async def start(on: Gateway = gateway, key: str | None = None, **body: Any) -> Conversation:
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        async with on.client.post("/v1/bots/shop/conversations", json=body, headers=headers) as answer:
            assert answer.status == 201, await answer.text()
            return Conversation(on, await answer.json())

    return start
