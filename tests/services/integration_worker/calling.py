"""A conversation that waits for a call, on the real server: what the worker's tests begin with."""

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from arq.connections import ArqRedis

from services.integration_worker.bots import CompiledBots
from services.integration_worker.call import Calls
from services.integration_worker.credentials import Credentials
from services.integration_worker.exchange import Exchanges
from services.integration_worker.fetching import Fetching
from services.integration_worker.protecting import Protector
from services.integration_worker.tokens import Tokens
from services.settings import Settings
from shared.bot.source import BotSource
from shared.credentials.secrets import SecretReader
from shared.credentials.token_store import PURPOSE, RedisTokens
from shared.dialog.events import CallOutcome, ConsumerMessage
from shared.integration.client import OutboundClient
from shared.privacy.sealing import Sealer
from shared.queue.mailbox import Mailbox
from shared.queue.records import Batch, CallRecord, Commit, NewConversation
from shared.store import keys
from shared.store.bots import Bots

SETTINGS = Settings()
BACK_OFF = "backoff = 0.001\nbackoff_max = 0.002\n"


def responder(name: str, url: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "name": name, "integrationType": "API", "method": "GET", "webhook": url, **more}


class Waiting:
    """Conversations of one bot that wait for calls of its integrations."""

    def __init__(self, redis: ArqRedis) -> None:
        self.redis = redis
        self.mailbox = Mailbox(redis, conversation_ttl=3600, inbox_limit=10, trace_ttl=60)
        self.bots = Bots(redis, 3600)
        self.version = ""
        self.environment: dict[str, str] = {}
        self.closed: tuple[str, ...] = ()
        self.command_seconds = 60.0
        self.reader: SecretReader | None = None

    async def publish(
        self, *responders: dict[str, Any], manifest: str = "", private: bool = True, more: str = ""
    ) -> None:
        """Publish a bot whose calls may reach loopback and hardly pause; `more` are other tables of its manifest."""
        tables = "".join(f"[integrations.{one['name']}]\n{BACK_OFF}{manifest}" for one in responders)
        if private:
            tables += '[egress]\nprivate = ["127.0.0.0/8"]\n'
        tables += more
        export = json.dumps(
            {"bot": {"id": "bot", "name": "Bot"}, "groups": [], "conversationMessage": [], "responder": responders}
        )
        source = BotSource(export.encode(), tables)
        await self.bots.publish(source)
        self.version = source.version

    async def call(
        self, integration: str, *, queue_ms: int = 10_000, budget_ms: int = 20_000, shard: int = 0, **values: Any
    ) -> str:
        """Let a new conversation wait for a call, and return its id."""
        conversation = keys.new_conversation_id(shard)
        await self.mailbox.create(NewConversation(conversation, "bot", "user", "lp_web"))
        await self.mailbox.ingest_message(conversation, "m", msgspec.json.encode(ConsumerMessage("hi")), b"{}")
        assert isinstance(await self.mailbox.begin(conversation, "job", "f1"), Batch)
        call_id = f"{conversation}.1"
        named = {f"$botContext.{name}": value for name, value in values.items()}
        record = CallRecord(call_id, integration, self.version, msgspec.msgpack.encode(named), queue_ms, budget_ms)
        committed = await self.mailbox.commit(
            conversation, Commit(fence="f1", next_fence="f2", consumed=1, call=record)
        )
        assert committed.state == "waiting"
        return call_id

    async def outcome(self, call_id: str) -> CallOutcome | None:
        """Return what the conversation was given, None when it still waits."""
        batch = await self.mailbox.begin(keys.conversation_of(call_id), "job2", secrets.token_hex(4))
        if not isinstance(batch, Batch):
            return None
        assert batch.result is not None
        return msgspec.json.decode(batch.result.body, type=CallOutcome)

    async def make(self, call_id: str, client: OutboundClient | None = None) -> None:
        """Run the job of a call, as a worker does."""
        async with client or OutboundClient() as outbound:
            protector = Protector(self.redis)
            await self.maker(outbound, protector).call(call_id)
            await protector.close()

    def maker(self, client: OutboundClient, protector: Protector | None = None) -> Calls:
        """Return what a worker makes calls with."""
        if self.reader is None:
            self.reader = SecretReader(
                self.environment, commands=True, seconds=self.command_seconds, closed=self.closed
            )
        return Calls(
            self.mailbox, CompiledBots(self.bots), Exchanges(client, self.credentials(client, protector), protector)
        )

    def credentials(self, client: OutboundClient, protector: Protector | None = None) -> Credentials:
        """Return what a worker proves itself with."""
        assert self.reader is not None
        store = RedisTokens(self.redis, Sealer(("a secret for the tests",), PURPOSE))
        return Credentials(self.reader, Fetching(client, self.reader, protector), Tokens(store))

    async def made(self, integration: str, **values: Any) -> CallOutcome:
        """Make a call to its end and return its outcome."""
        call_id = await self.call(integration, **values)
        await self.make(call_id)
        outcome = await self.outcome(call_id)
        assert outcome is not None
        return outcome


async def until(happened: Callable[[], Awaitable[bool]], task: asyncio.Task[None]) -> None:
    """Wait for something a task does; a task that ends without it fails the test."""
    while not await happened():
        assert not task.done(), task
        await asyncio.sleep(0.001)


def words(outcome: CallOutcome) -> list[str]:
    """How the attempts ended."""
    return [attempt.outcome for attempt in outcome.attempts]
