"""A gateway on loopback over the private server, with one bot published, and conversations on it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request
from arq.connections import ArqRedis

from services.gateway.app import build_app
from services.gateway.parts import PARTS
from services.settings import Settings
from shared.bot.source import BotSource
from shared.queue.mailbox import Mailbox
from shared.queue.records import Batch, Commit
from shared.store.bots import Bots

CHANNEL_KEY = "web-channel-key-0001"
OTHER_KEY = "sms-channel-key-0002"
SETTINGS = Settings(
    secrets=("a-secret-for-tests-only",),
    channel_keys={"web": CHANNEL_KEY, "sms": OTHER_KEY},
    create_rate=1000,
)
EXPORT: dict[str, Any] = {
    "bot": {"id": "shop", "name": "Shop", "getStartedButtonPayload": "hello"},
    "groups": [],
    "conversationMessage": [],
    "responder": [],
}

Gateway = TestClient[Request, Application]
StartGateway = Callable[..., Awaitable[Gateway]]


class Conversation:
    """One conversation as its consumer sees it, and its bot's part, which a worker would play."""

    def __init__(self, gateway: Gateway, created: dict[str, Any]) -> None:
        self.gateway = gateway
        self.id: str = created["conversationId"]
        self.user_id: str = created["userId"]
        self.token: str = created["token"]
        self.expires_at: str = created["expiresAt"]
        self.path = f"/v1/conversations/{self.id}"
        self.headers = {"Authorization": f"Bearer {self.token}"}

    @property
    def mailbox(self) -> Mailbox:
        return self.gateway.server.app[PARTS].mailbox  # type: ignore[attr-defined] # a TestServer has an app

    async def say(self, text: str = "hi", **fields: Any) -> dict[str, Any]:
        async with self.gateway.post(
            f"{self.path}/messages", json={"text": text, **fields}, headers=self.headers
        ) as answer:
            assert answer.status == 202, await answer.text()
            return await answer.json()  # type: ignore[no-any-return]

    async def read(self, after: str = "", wait: float = 0) -> dict[str, Any]:
        query = {"after": after, "wait": str(wait)}
        async with self.gateway.get(f"{self.path}/messages", params=query, headers=self.headers) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()  # type: ignore[no-any-return]

    async def take(self) -> Batch:
        """BEGIN, as a worker would."""
        batch = await self.mailbox.begin(self.id, "job", "fence")
        assert isinstance(batch, Batch)
        return batch

    async def reply(self, *entries: dict[str, Any], status: str = "", trace: bytes = b"") -> None:
        """Answer everything in the inbox with these outbox entries."""
        batch = await self.take()
        commit = Commit(
            fence=batch.fence,
            next_fence="next",
            consumed=len(batch.events),
            replies=[msgspec.json.encode(entry) for entry in entries],
            status=status,
            trace=trace,
        )
        committed = await self.mailbox.commit(self.id, commit)
        assert committed.state == "idle"

    async def close(self) -> None:
        await self.say("bye")
        await self.reply({"from": "system", "type": "closed"}, status="closed")


StartConversation = Callable[..., Awaitable[Conversation]]


@pytest.fixture
async def bots(redis: ArqRedis) -> Bots:
    published = Bots(redis, 3600)
    await published.publish(BotSource(msgspec.json.encode(EXPORT)))
    return published


@pytest.fixture
async def start_gateway(redis: ArqRedis, bots: Bots) -> AsyncIterator[StartGateway]:
    """Starts gateways with settings of one's own."""
    clients: list[Gateway] = []

    async def start(connection: ArqRedis = redis, **changes: Any) -> Gateway:
        app = build_app(msgspec.structs.replace(SETTINGS, **changes), connection)
        client: Gateway = TestClient(TestServer(app))
        await client.start_server()
        clients.append(client)
        return client

    yield start
    for client in clients:
        await client.close()


@pytest.fixture
async def gateway(start_gateway: StartGateway) -> Gateway:
    return await start_gateway()


@pytest.fixture
def conversation(gateway: Gateway) -> StartConversation:
    """Creates conversations on `gateway`, or on another one."""

    async def start(on: Gateway = gateway, key: str | None = None, **body: Any) -> Conversation:
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        async with on.post("/v1/bots/shop/conversations", json=body, headers=headers) as answer:
            assert answer.status == 201, await answer.text()
            return Conversation(on, await answer.json())

    return start


async def error_of(answer: Any, status: int) -> dict[str, Any]:
    """Check that a response is an error in the one shape, and return it."""
    assert answer.status == status, await answer.text()
    assert answer.content_type == "application/json"
    body = await answer.json()
    assert set(body) == {"error"}
    error: dict[str, Any] = body["error"]
    assert set(error) <= {"code", "message", "field"}
    assert error["code"]
    assert error["message"].endswith(".")
    return error
