"""A mailbox that checks after every script that all keys expire, and means to make things old without waiting."""

import secrets
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import msgspec
import pytest

from shared.dialog.events import ConsumerMessage
from shared.queue.mailbox import Mailbox
from shared.queue.records import Batch, Commit, NewConversation
from shared.store import keys

WEEK = 7 * 24 * 3600
LIVES_ON = ("queue:", "due:", "alive:")

Raw = Any  # redis' own annotations leave open whether a command is to be awaited


async def assert_all_expire(redis: Raw) -> None:
    """Every key has a TTL, except queues, bells, `due` and `alive`."""
    names = [name async for name in redis.scan_iter(count=1000)]
    async with redis.pipeline(transaction=False) as pipe:
        for name in names:
            pipe.pttl(name)
        lives = await pipe.execute()
    for name, life in zip(names, lives, strict=True):
        assert life != -1 or name.decode().startswith(LIVES_ON), f"{name} never expires"


def untimed(answer: Any) -> Any:
    """What BEGIN answered without the moment when it did, which is another one when it repeats itself."""
    return msgspec.structs.replace(answer, now=0) if isinstance(answer, Batch) else answer


class CheckedMailbox(Mailbox):
    async def _run(self, *args: Any, **kwargs: Any) -> Any:
        answer = await super()._run(*args, **kwargs)
        await assert_all_expire(self._redis)
        return answer


Say = Callable[..., Awaitable[int]]
Own = Callable[..., Awaitable[Batch]]
Finish = Callable[..., Awaitable[str]]
State = Callable[[str], Awaitable[str]]


class MakesMailbox(Protocol):
    def __call__(self, **settings: int) -> Mailbox: ...


class Starts(Protocol):
    def __call__(self, **new: Any) -> Awaitable[str]: ...


class Shifts(Protocol):
    def __call__(self, conversation_id: str, **fields: int) -> Awaitable[None]: ...


@pytest.fixture
def mailbox_with(redis: Raw) -> MakesMailbox:
    """Make a mailbox with settings of one's own."""

    def make(**settings: int) -> Mailbox:
        usual: dict[str, Any] = {"conversation_ttl": WEEK, "inbox_limit": 10, "trace_ttl": 3600, "lease_ms": 60_000}
        return CheckedMailbox(redis, **{**usual, **settings})

    return make


@pytest.fixture
def mailbox(mailbox_with: MakesMailbox) -> Mailbox:
    """A mailbox of usual settings, whose inboxes hold ten events."""
    return mailbox_with()


@pytest.fixture
def conversation(mailbox: Mailbox) -> Starts:
    """Start a conversation and return its id."""

    async def start(**new: Any) -> str:
        new.setdefault("id", keys.new_conversation_id(0))
        await mailbox.create(NewConversation(**{"bot_id": "bot", "user_id": "user", "channel": "lp_web", **new}))
        return str(new["id"])

    return start


@pytest.fixture
def say(mailbox: Mailbox) -> Say:
    """Have the consumer write something; returns its sequence."""

    async def ingest(conversation_id: str, text: str = "hello", message_id: str | None = None) -> int:
        event = msgspec.json.encode(ConsumerMessage(text))
        echo = msgspec.json.encode({"from": "consumer", "type": "text", "text": text})
        answer = await mailbox.ingest_message(conversation_id, message_id or secrets.token_hex(4), event, echo)
        assert answer.outcome == "accepted"
        return answer.sequence

    return ingest


@pytest.fixture
def own(mailbox: Mailbox) -> Own:
    """Take a conversation that is queued."""

    async def begin(conversation_id: str, fence: str = "f1") -> Batch:
        batch = await mailbox.begin(conversation_id, "job", fence)
        assert isinstance(batch, Batch)
        return batch

    return begin


@pytest.fixture
def shift(redis: Raw) -> Shifts:
    """Set times of a conversation to so many ms from now, as if it had happened earlier; `due` as well."""

    async def move(conversation_id: str, **fields: int) -> None:
        seconds, micros = await redis.time()
        now = seconds * 1000 + micros // 1000
        for field, offset in fields.items():
            if field == "due":
                await redis.zadd(keys.due(0), {conversation_id: now + offset})
            else:
                await redis.hset(keys.conv(conversation_id), field, str(now + offset))

    return move


@pytest.fixture
def state(redis: Raw) -> State:
    """Look up the state a conversation is in."""

    async def look(conversation_id: str) -> str:
        found = await redis.hget(keys.conv(conversation_id), "state")
        return str((found or b"gone").decode())

    return look


@pytest.fixture
def finish(mailbox: Mailbox) -> Finish:
    """Commit one handled event under `fence`; returns the state it leads to."""

    async def commit(conversation_id: str, fence: str = "f1", **changes: Any) -> str:
        changes.setdefault("consumed", 1)
        committed = await mailbox.commit(conversation_id, Commit(fence=fence, next_fence=f"{fence}'", **changes))
        return committed.state

    return commit
