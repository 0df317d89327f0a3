"""A walk through the mailbox: two conversations, held against their models after every step, and chance."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterable
from random import Random
from typing import Any, TypeVar

from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from shared.queue.mailbox import Mailbox
from shared.queue.records import Batch, Committed, NewConversation, StoredEvent
from shared.store import keys
from tests.store.conftest import Raw, assert_all_expire
from tests.store.mailbox_model import BATCH, INBOX_BYTES, INBOX_LIMIT, MOST_BATCHES, Call, Talk, in_order

T = TypeVar("T")

MINUTES = 600_000


class Walk(RuleBasedStateMachine):
    """Two conversations, their workers, and time that passes only when a rule says so."""

    def __init__(self, runner: asyncio.Runner, redis: Raw) -> None:
        super().__init__()
        self.runner, self.redis = runner, redis
        self.mailbox = Mailbox(
            redis,
            conversation_ttl=86400,
            inbox_limit=INBOX_LIMIT,
            trace_ttl=60,
            lease_ms=MINUTES,
            batch=BATCH,
            most_batches=MOST_BATCHES,
            inbox_bytes=INBOX_BYTES,
        )
        self.names = (f"n{number}" for number in itertools.count())
        self.dice, self.step = Random(0), 0
        self.talks: list[Talk] = []
        self.fences: dict[str, list[str]] = {}
        self.hands: dict[str, tuple[StoredEvent | None, list[StoredEvent]]] = {}
        self.calls: list[tuple[Talk, Call]] = []
        self.handled: dict[str, list[int]] = {}
        self.accepted: dict[str, list[int]] = {}

    def run(self, send: Callable[[], Awaitable[T]]) -> tuple[T, T | None]:
        """Send something, every other time twice; return both answers."""

        async def both(*, twice: bool) -> tuple[T, T | None]:
            return await send(), (await send() if twice else None)

        return self.runner.run(both(twice=self.dice.random() < 0.5))

    @initialize()
    def create(self) -> None:
        self.runner.run(self.redis.flushall())
        for _ in range(2):
            talk = Talk(keys.new_conversation_id(0))
            new = NewConversation(id=talk.id, bot_id="b", user_id="u", channel="c", session_ms=MINUTES)
            first = self.runner.run(self.mailbox.create(new))
            assert first == self.runner.run(self.mailbox.create(new))
            self.talks.append(talk)
            self.fences[talk.id], self.handled[talk.id], self.accepted[talk.id] = ["never"], [], []

    # -- what must always be true

    @invariant()
    def server_and_model_agree(self) -> None:
        talks = [talk for talk in self.talks if not talk.gone]
        for talk, found in zip(talks, self.runner.run(self.look(talks)), strict=True):
            self.compare(talk, *found)
        for talk in self.talks:
            assert in_order(self.handled[talk.id])
        if self.step % 5 == 0:
            self.runner.run(assert_all_expire(self.redis))

    async def look(self, talks: list[Talk]) -> Iterable[tuple[Any, ...]]:
        async with self.redis.pipeline() as pipe:
            for talk in talks:
                pipe.hmget(keys.conv(talk.id), "state", "status", "seq", "turn", "tries", "fence")
                pipe.lrange(keys.inbox(talk.id), 0, -1)
                pipe.lrange(keys.outbox(talk.id), 0, -1)
                pipe.exists(keys.result(talk.id))
                pipe.llen(keys.writes(talk.id))
                pipe.zscore(keys.due(0), talk.id)
            found = iter(await pipe.execute())
        return zip(*[found] * 6, strict=True)

    def compare(self, talk: Talk, conv: Any, inbox: Any, outbox: Any, result: int, writes: int, due: Any) -> None:
        state, status, sequence, turn, tries, fence = ((value or b"").decode() for value in conv)
        assert (state, status, int(sequence)) == (talk.state, talk.status, talk.sequence)
        assert (int(turn or 0), int(tries or 0), fence or None) == (talk.turn, talk.tries, talk.fence)
        assert [int(entry.split(b"|")[1]) for entry in inbox] == [event.sequence for event in talk.inbox]
        assert [int(entry.split(b"|")[0]) for entry in outbox] == talk.outbox
        assert (bool(result), writes) == (talk.result is not None, talk.writes)
        assert (due is None) == (talk.state == "idle")
        handled, waiting = self.handled[talk.id], [event.sequence for event in talk.inbox]
        assert handled + waiting + talk.buried == self.accepted[talk.id], "an event was lost or doubled"

    # -- small means

    def current_job(self, talk: Talk) -> str:
        """The job that a conversation has now, or had last."""
        return (self.runner.run(self.redis.hget(keys.conv(talk.id), "job")) or b"none").decode()

    def is_queued(self, job: str) -> bool:
        """Say whether a job stands in the dialog queue."""
        return self.runner.run(self.redis.zscore(keys.dialog_queue(0), job)) is not None

    def pick(self, *states: str) -> Talk:
        """Some conversation, in one of `states` if there is any."""
        return self.dice.choice([talk for talk in self.talks if talk.state in states] or self.talks)

    def rarely(self) -> bool:
        """Say whether an old fence, call or id is used instead of the one that counts."""
        return self.dice.random() < 0.15

    def take(self, talk: Talk, fence: str, given: Batch | Committed) -> None:
        result, sequences, stamps = talk.handout()
        assert (given.result.sequence if given.result else None) == result
        assert [event.sequence for event in given.events] == sequences
        assert [event.new_session for event in given.events] == stamps
        self.fences[talk.id].append(fence)
        self.hands[fence] = (given.result, given.events)

    def go_on(self, talk: Talk, fence: str, committed: Committed) -> None:
        if committed.state == "running":
            self.take(talk, fence, committed)
        elif committed.state == "writes":
            assert len(committed.writes) == talk.writes
            self.fences[talk.id].append(fence)

    def shift(self, talk: Talk, **fields: int) -> None:
        async def move() -> None:
            seconds, micros = await self.redis.time()
            now = seconds * 1000 + micros // 1000
            for field, offset in fields.items():
                if field == "due":
                    await self.redis.zadd(keys.due(0), {talk.id: now + offset})
                else:
                    await self.redis.hset(keys.conv(talk.id), field, str(now + offset))

        self.runner.run(move())
