"""Parts of the tests of the dialog worker: a small bot, conversations on a real mailbox, and engines to order."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from arq.connections import ArqRedis

from services.dialog_worker.advance import advance
from services.dialog_worker.leases import Leases
from services.dialog_worker.parts import Parts
from services.dialog_worker.turn_processes import Allowance
from services.dialog_worker.versions import Versions
from services.settings import Settings
from shared.bot.source import BotSource
from shared.dialog.effects import Reply
from shared.dialog.events import CallOutcome, ConsumerMessage
from shared.dialog.frames import Advance, Answer
from shared.dialog.session import Session
from shared.queue.mailbox import Mailbox
from shared.queue.records import NewConversation
from shared.store import keys
from shared.store.bots import Bots
from shared.store.context import Context

BOT_ID = "small"
USER_ID = "consumer"
ERROR_TEXT = "Something went wrong. Please try again."

Blob = Callable[[], Awaitable[bytes]]
Engine = Callable[[Advance], Answer | Awaitable[Answer]]


def small_bot(text: str = "You said {$userMessage}.", pre: str = "") -> BotSource:
    """Return a bot that answers everything with one text."""
    starter: dict[str, Any] = {
        "id": "any",
        "name": "any",
        "group": "g",
        "interactionType": "DIALOG_STARTER",
        "pattern": ["*"],
    }
    answer = {
        "id": "answer",
        "name": "answer",
        "group": "g",
        "interactionType": "TEXT",
        "prevMessageId": "any",
        "content": {"results": {"type": "TEXT", "tile": {"tileData": [{"text": text}]}}},
        "preProcessMessage": pre,
        "responseMatches": [{"conditions": [], "action": {"name": "INTERACTION", "value": "none"}}],
    }
    starter["nextMessageId"] = "answer"
    starter["responseMatches"] = [{"conditions": [], "action": {"name": "INTERACTION", "value": "next"}}]
    export = {
        "bot": {"id": BOT_ID, "name": "Small", "defaultErrorMessage": ERROR_TEXT},
        "groups": [{"id": "g", "name": "g"}],
        "conversationMessage": [starter, answer],
    }
    return BotSource(json.dumps(export).encode())


class EngineToOrder:
    """In place of turn processes: a function answers; what it was asked is remembered. It loads blobs as they do."""

    def __init__(self, engine: Engine) -> None:
        self.asked: list[Advance] = []
        self.allowances: list[Allowance] = []
        self._engine = engine

    async def advance(self, request: Advance, blob: Blob, allowance: Allowance) -> Answer:
        self.asked.append(request)
        self.allowances.append(allowance)
        await blob()
        answer = self._engine(request)
        return await answer if isinstance(answer, Awaitable) else answer


def repeats(request: Advance) -> Answer:
    """An engine that repeats what was said and counts in the session."""
    session = request.session or Session(request.version, forever=request.forever)
    count = session.session.get("count", 0) + 1
    session = msgspec.structs.replace(session, session={"count": count})
    event = request.event
    text = event.text if isinstance(event, ConsumerMessage) else type(event).__name__
    return Answer(session, [Reply(text=f"{count}: {text}")])


class Talk:
    """One conversation, seen from outside, and a worker to be run on it."""

    def __init__(self, redis: ArqRedis, settings: Settings, engine: Engine) -> None:
        self.redis = redis
        self.id = keys.new_conversation_id(0)
        self.bots = Bots(redis, settings.conversation_ttl)
        self.mailbox = Mailbox(redis, conversation_ttl=3600, inbox_limit=100, trace_ttl=60, batch=1)
        self.engine = EngineToOrder(engine)
        self.parts = Parts(
            settings=settings,
            mailbox=self.mailbox,
            leases=Leases(self.mailbox, renew_seconds=0.02),
            versions=Versions(self.bots),
            context=Context(redis),
            processes=self.engine,  # type: ignore[arg-type] # stands in for it
        )

    async def create(self) -> None:
        current = await self.bots.publish(small_bot())
        new = NewConversation(self.id, BOT_ID, USER_ID, "lp_web", session_ms=current.session_ms)
        await self.mailbox.create(new)

    async def say(self, *texts: str) -> None:
        for text in texts:
            event = msgspec.json.encode(ConsumerMessage(text))
            echo = msgspec.json.encode({"from": "consumer", "type": "text", "text": text})
            answer = await self.mailbox.ingest_message(self.id, f"id of {text}", event, echo)
            assert answer.outcome == "accepted"

    async def outcome(self, call_id: str) -> None:
        assert (await self.mailbox.start(call_id, "claim")).outcome == "go"
        assert await self.mailbox.result(call_id, msgspec.json.encode(CallOutcome(call_id, status=200)))

    async def work(self, job_id: str = "job") -> None:
        """Run the job once, with the renewals that go with it."""
        renewing = asyncio.create_task(self.parts.leases.keep())
        try:
            await advance({"parts": self.parts, "job_id": job_id}, self.id)
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)

    async def replies(self) -> list[str]:
        """What the bot said."""
        page = await self.mailbox.read(self.id, 0)
        assert page is not None
        entries: list[dict[str, Any]] = [json.loads(body) for _, _, body in page.messages]
        return [entry.get("text", entry["type"]) for entry in entries if entry["from"] != "consumer"]

    async def field(self, name: str) -> str:
        """A field of the conversation."""
        [found] = await self.redis.hmget(keys.conv(self.id), [name])  # type: ignore[misc] # the stubs of redis
        return found.decode() if found is not None else ""

    async def session(self) -> dict[bytes, bytes]:
        return dict(await self.redis.hgetall(keys.session(self.id)))  # type: ignore[misc] # the stubs of redis

    async def set(self, key: str, field: str, value: str) -> None:
        """Set a field of a hash, as if it had become so."""
        await self.redis.hset(key, field, value)  # type: ignore[misc] # the stubs of redis

    async def dead(self) -> list[dict[bytes, bytes]]:
        """The dead letters."""
        return [fields for _, fields in await self.redis.xrange(keys.dead(0))]

    async def traces(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body in await self.mailbox.trace(self.id, 0) or []]
