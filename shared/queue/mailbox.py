"""The mailbox of conversations: events in, replies out, and who may write, each step one script in Redis.

Every script may be sent twice, since its answer may be lost. Fences, claims and ids are random texts given by the
caller. The states and keys are in the heads of the `.lua` files; times are Redis' own.
"""

from typing import Any

import msgspec
from arq.connections import ArqRedis

from shared.dialog.events import CallOutcome
from shared.queue import entries, scripts
from shared.queue.conversation_keys import packed_keys
from shared.queue.records import (
    About,
    Batch,
    CallStarted,
    Commit,
    Committed,
    Forgotten,
    Ingested,
    NewConversation,
    NotBegun,
    OutboxPage,
    WebViewTerms,
)
from shared.store import keys
from shared.store.batches import Batches
from shared.store.connection import translated
from shared.store.packing import Script
from shared.store.replicas import Replicas

MOST_BATCHES = 8
INBOX_BYTES = 8 * 1024 * 1024
CONVERSATION_SCRIPTS = (
    "create",
    "ingest",
    "begin",
    "renew",
    "commit",
    "release",
    "start",
    "finish_attempt",
    "result",
    "recover",
    "keep_seal",
    "forget",
)
_LOST = msgspec.json.encode(
    CallOutcome(call_id="@", failure="lost", failure_detail="Its worker was lost, or none took it.")
).split(b"@")


class Mailbox:
    """Thin: builds keys and arguments, reads answers. Every method raises RedisUnreachable when Redis is away.

    `conversation_ttl` and `trace_ttl` are seconds. `lease_ms` is how long an owner lives without RENEW, `batch` how
    many events it is given at once, `most_batches` how often before others have their turn. An inbox holds at most
    `inbox_limit` events of about `inbox_bytes` together; an event that finds it empty is always taken.
    With `replicated`, what leaves Redis (an acceptance, a reply, an attempt, the end of a call) is on a replica first:
    NotReplicated is raised otherwise, and the same may be asked again.
    """

    def __init__(  # noqa: PLR0913 -- numbers with names; most callers give three
        self,
        redis: ArqRedis,
        *,
        conversation_ttl: int,
        inbox_limit: int,
        trace_ttl: int,
        lease_ms: int = 3000,
        batch: int = 16,
        most_batches: int = MOST_BATCHES,
        inbox_bytes: int = INBOX_BYTES,
        replicated: bool = False,
    ) -> None:
        self._redis = redis
        self._replicas = Replicas(redis) if replicated else None
        self._ttl_ms = conversation_ttl * 1000
        self._inbox_limits = (inbox_limit, inbox_bytes)
        self._trace_ttl_ms = trace_ttl * 1000
        self._owner = (lease_ms, batch, most_batches)
        self.batches = Batches(redis)
        self._scripts = {
            name: Script(scripts.source(name)) for name in (*CONVERSATION_SCRIPTS, "sweep", "read", "take")
        }

    async def create(self, new: NewConversation) -> int:
        """Make a conversation and return when, in ms; a repeat is answered alike."""
        who = (new.bot_id, new.user_id, new.channel, new.profile, new.channel_key, new.session_ms, new.seal)
        shard = keys.shard_of(new.id)
        places = (keys.alive(shard), keys.conversations(shard, new.user_id))
        created = int(await self._run("create", new.id, *who, extra=places))
        await self.confirm(new.id)
        return created

    async def about(self, conversation_id: str) -> About | None:
        """Return whose conversation it is and its status, None when it is gone or never was (any text is allowed)."""
        if not keys.is_conversation_id(conversation_id):
            return None
        fields = ["bot", "user", "key", "status", "created", "seal"]
        found: list[Any]
        [found] = await self.batches.ask(("HMGET", keys.conv(conversation_id), *fields))
        if found[0] is None:
            return None
        bot, user, key, status, created = (value.decode() for value in found[:5])
        return About(conversation_id, bot, user, key, status, int(created), found[5] or b"")

    async def keep_seal(self, conversation_id: str, seal: bytes) -> bytes:
        """Give a conversation that has no key this one, sealed, and return the one it has; empty when it is gone."""
        answer = await self._run("keep_seal", conversation_id, seal)
        return b"" if answer[0] == b"gone" else bytes(answer[1])

    async def forget(self, conversation_id: str, user_id: str) -> Forgotten:
        """Remove a conversation of a user with all it has, in whatever state; its owner cannot commit any more."""
        shard = keys.shard_of(conversation_id)
        places = (
            keys.alive(shard),
            keys.conversations(shard, user_id),
            keys.receipts(conversation_id),
            keys.taken(conversation_id),
        )
        outcome, writes, removed = await self._run("forget", conversation_id, extra=places)
        return Forgotten(outcome == b"forgotten", [name.decode() for name in removed], writes)

    async def conversations(self, shard: int, user_id: str) -> list[str]:
        """Return the conversations that a user has on a shard, oldest first; some may have expired."""
        found: list[bytes]
        [found] = await self.batches.ask(("ZRANGE", keys.conversations(shard, user_id), "0", "-1"))
        return [name.decode() for name in found]

    async def ingest_message(self, conversation_id: str, message_id: str, event: bytes, echo: bytes) -> Ingested:
        """Accept a consumer message; `echo` is its entry in the outbox. A known `message_id` is a duplicate."""
        return await self._ingest(conversation_id, "message", message_id, event, echo)

    async def ingest_web_view(
        self,
        conversation_id: str,
        stamp: str,
        event: bytes,
        echo: bytes | None,
        terms: WebViewTerms = WebViewTerms(),  # noqa: B008 - frozen
    ) -> Ingested:
        """Accept a Web View call; the same stamp within 2 s is a duplicate.

        `echo` is given when the call has a message, and written unless the message is late.
        """
        places, arguments = entries.web_view_terms(conversation_id, stamp, terms)
        call = ("web_view", stamp, event, echo or b"")
        return await self._ingest(conversation_id, *call, terms=arguments, extra=places)

    async def take(self, address: str, rate: int) -> int:
        """Count a Web View call of an address; return 0, or in how many ms the next of `rate` a minute may come."""
        return int(await self.batches.run(self._scripts["take"], [keys.taken_by(address)], (rate,)))

    async def begin(self, conversation_id: str, job_id: str, fence: str, *, take: bool = False) -> Batch | NotBegun:
        """Take the conversation under `fence`; the same fence again gets the same answer.

        `take` says that nobody has claimed the job: it is taken off its queue in the same step.
        """
        lease_ms, batch, _ = self._owner
        answer = await self._run("begin", conversation_id, fence, lease_ms, batch, job_id, int(take))
        if answer[0] != b"running":
            return NotBegun(reason=answer[0].decode())
        return entries.batch(fence, answer)

    async def renew(self, conversation_id: str, fence: str) -> bool:
        """Renew the lease; False: somebody else has the conversation, or nobody, or it is gone."""
        answer = await self._run("renew", conversation_id, fence, self._owner[0])
        return bool(answer[0] == b"running")

    async def commit(self, conversation_id: str, commit: Commit) -> Committed:
        """Store what a turn changes. After `writes`, apply them and call `release` with `commit.next_fence`."""
        arguments = entries.commit_arguments(commit, self._trace_ttl_ms)
        call = (keys.call(commit.call.id),) if commit.call is not None else ()
        fences = (commit.fence, commit.next_fence)
        answer = await self._run("commit", conversation_id, *fences, *self._owner, *arguments, extra=call)
        return entries.committed(answer)

    async def release(self, conversation_id: str, fence: str, next_fence: str) -> Committed:
        """Say that the writes (of the commit, or left by a dead owner) were applied; go on as after COMMIT."""
        return await self._release(conversation_id, fence, next_fence, "applied")

    async def hand_back(self, conversation_id: str, fence: str) -> Committed:
        """Give the conversation back unhandled, for another worker (this one stops): `queued`, with one try less."""
        return await self._release(conversation_id, fence, "", "back")

    async def start(self, call_id: str, claim: str) -> CallStarted:
        """Ask to make an attempt of a call, before each one. `claim` is the caller's own random text.

        A repeat under the same claim, its attempt not ended by `finish_attempt`, is answered alike and counts once;
        under another claim it finds that attempt `interrupted`.
        """
        started = entries.call_started(await self._run_call("start", call_id, call_id, claim))
        if started.outcome == "go":
            await self.confirm(call_id)
        return started

    async def finish_attempt(self, call_id: str, claim: str, record: bytes) -> bool:
        """Record how the attempt begun under `claim` ended, before the next `start`; not needed before `result`.

        `record` is kept for whoever goes on (`CallStarted.ended`); an empty one says that the attempt was not made and
        does not count. False: there is no such attempt (any more).
        """
        answer = await self._run_call("finish_attempt", call_id, claim, record)
        return bool(answer[0] == b"recorded")

    async def result(self, call_id: str, outcome: bytes) -> bool:
        """Hand the outcome to the conversation that waits for it; False: not awaited any more, dropped."""
        answer = await self._run_call("result", call_id, call_id, outcome)
        await self.confirm(call_id)
        return bool(answer[0] == b"stored")

    async def sweep(self, shard: int, sweeper: str, limit: int = 100) -> int | None:
        """See to at most `limit` overdue conversations; return how many got a job, None if another one sweeps."""
        locks = [keys.sweeper(shard), keys.due(shard), keys.alive(shard)]
        overdue = await self.batches.run(self._scripts["sweep"], locks, (sweeper, limit))
        if overdue is None:
            return None
        recovered = 0
        for conversation_id in overdue:
            answer = await self._run("recover", conversation_id.decode(), *_LOST)
            recovered += answer[0] == b"recovered"
        return recovered

    async def read(self, conversation_id: str, after: int, limit: int = 200) -> OutboxPage | None:
        """Return at most `limit` messages after the cursor `after` (0: from the start), None when it is gone."""
        places = [keys.conv(conversation_id), keys.outbox(conversation_id)]
        answer = await self.batches.run(self._scripts["read"], places, (after, limit))
        if not answer:
            return None
        status, trimmed, found = answer
        messages = [entries.message(entry) for entry in found]
        if messages:
            await self.confirm(conversation_id)
        cursor = messages[-1][0] if messages else after
        return OutboxPage(messages=messages, cursor=cursor, gap=after < trimmed, status=status.decode())

    async def confirm(self, identifier: str) -> None:
        """With `replicated`, return when all that is known of a conversation or call is on a replica.

        Raises NotReplicated. To be asked for what was heard from others; the methods here ask it themselves.
        """
        if self._replicas is not None:
            await self._replicas.confirm(keys.shard_of(identifier))

    async def trace(self, conversation_id: str, after_turn: int) -> list[bytes] | None:
        """Return what the turns after `after_turn` did, oldest first, None when it is gone or never was."""
        if not keys.is_conversation_id(conversation_id):
            return None
        with translated():
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.exists(keys.conv(conversation_id))
                pipe.lrange(keys.trace(conversation_id), 0, -1)
                exists, found = await pipe.execute()
        if not exists:
            return None
        traces = [entries.trace(entry) for entry in found]
        return [body for turn, body in traces if turn > after_turn]

    async def _ingest(
        self, conversation_id: str, *event: Any, terms: tuple[Any, ...] = (), extra: tuple[str, ...] = ()
    ) -> Ingested:
        answer = await self._run("ingest", conversation_id, *event, *self._inbox_limits, *terms, extra=extra)
        ingested = entries.ingested(answer)
        if ingested.outcome in {"accepted", "duplicate"}:
            await self.confirm(conversation_id)
        return ingested

    async def _release(self, conversation_id: str, fence: str, next_fence: str, how: str) -> Committed:
        answer = await self._run("release", conversation_id, fence, next_fence, *self._owner, how)
        return entries.committed(answer)

    async def _run_call(self, script: str, call_id: str, *arguments: Any) -> Any:
        return await self._run(script, keys.conversation_of(call_id), *arguments, extra=(keys.call(call_id),))

    async def _run(self, script: str, conversation_id: str, *arguments: Any, extra: tuple[str, ...] = ()) -> Any:
        """Run a script by its hash; the client loads it when the server does not know it."""
        arguments = (conversation_id, self._ttl_ms, *arguments)
        return await self.batches.run(self._scripts[script], extra, arguments, first_keys=packed_keys(conversation_id))
