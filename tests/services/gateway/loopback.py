"""A gateway on loopback, a conversation on it as its consumer sees it, and the bot's part, which a worker would play."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from aiohttp import ClientResponse, ClientSession, web

from services.gateway.parts import PARTS, Parts
from services.settings import Settings
from shared.queue.mailbox import Mailbox
from shared.queue.records import Batch, Commit

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


@dataclass(frozen=True)
class Gateway:
    """A gateway that listens, and a client of it."""

    runner: web.AppRunner
    client: ClientSession
    url: str

    @property
    def parts(self) -> Parts:
        return self.runner.app[PARTS]

    @property
    def mailbox(self) -> Mailbox:
        return self.parts.mailbox

    async def waited_at(self, listeners: int = 1) -> None:
        """Wait until so many readers wait here."""
        while self.parts.notifications.listeners < listeners:
            await asyncio.sleep(0.001)

    async def stop(self) -> None:
        await self.runner.cleanup()


StartGateway = Callable[..., Awaitable[Gateway]]


class Conversation:
    """One conversation as its consumer sees it, and its bot's part, which a worker would play."""

    def __init__(self, gateway: Gateway, created: dict[str, Any]) -> None:
        self.client = gateway.client
        self.mailbox = gateway.mailbox
        self.id: str = created["conversationId"]
        self.user_id: str = created["userId"]
        self.token: str = created["token"]
        self.expires_at: str = created["expiresAt"]
        self.path = f"/v1/conversations/{self.id}"
        self.headers = {"Authorization": f"Bearer {self.token}"}

    async def say(self, text: str = "hi", **fields: Any) -> dict[str, Any]:
        async with self.client.post(
            f"{self.path}/messages", json={"text": text, **fields}, headers=self.headers
        ) as answer:
            assert answer.status == 202, await answer.text()
            return await answer.json()  # type: ignore[no-any-return]

    async def read(self, after: str = "", wait: float = 0) -> dict[str, Any]:
        query = {"after": after, "wait": str(wait)}
        async with self.client.get(f"{self.path}/messages", params=query, headers=self.headers) as answer:
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


async def error_of(answer: ClientResponse, status: int) -> dict[str, Any]:
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
