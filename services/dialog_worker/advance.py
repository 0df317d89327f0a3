"""The job `advance`: take the lease of a conversation, handle its events one turn at a time, give it back.

Law: a turn changes nothing but by its COMMIT. Whoever is refused there has been replaced and drops what it did.
"""

import asyncio
import secrets
import time
from contextlib import suppress
from typing import Any

import msgspec
import structlog
from arq import Retry

from services.dialog_worker import metrics, poison
from services.dialog_worker.conversation_context import apply_fields
from services.dialog_worker.leases import Lease, LeaseLost
from services.dialog_worker.parts import Parts
from services.dialog_worker.running import Question, Ran, run_turn
from services.dialog_worker.timing import Timing
from services.dialog_worker.turn import Handled, TurnTooLarge, commit_of
from services.dialog_worker.turn_processes import EngineFailure
from services.dialog_worker.vault import CONTEXT, SESSION, Vault
from services.dialog_worker.versions import VersionGone
from shared.dialog.effects import ContextWrite, StartCall
from shared.dialog.session import Conversation
from shared.dialog.texts import NOT_UNDERSTOOD
from shared.privacy.naming import Sensitive
from shared.privacy.sealing import CannotOpen
from shared.queue.records import Batch, Commit, Committed, NotBegun, Profile, StoredEvent
from shared.store.connection import RedisUnreachable
from shared.store.context import encode_write

AWAY_SECONDS = 0.5
NOT_STORED = ("refused", "gone")

log = structlog.get_logger()


async def advance(ctx: dict[Any, Any], conversation_id: str) -> None:
    """Handle what waits in a conversation's mailbox (a claimed arq job; it is tried again while Redis is away)."""
    try:
        await _advance(ctx["parts"], conversation_id, ctx["job_id"], take=False)
    except RedisUnreachable as error:
        raise Retry(defer=AWAY_SECONDS) from error


async def advance_directly(ctx: dict[Any, Any], conversation_id: str) -> None:
    """Handle what waits in a conversation's mailbox, taking its job off the queue by BEGIN.

    While Redis is away a job that was not taken stays in its queue; one that was is found by its lease.
    """
    with suppress(RedisUnreachable):
        await _advance(ctx["parts"], conversation_id, ctx["job_id"], take=True)


async def _advance(parts: Parts, conversation_id: str, job_id: str, *, take: bool) -> None:
    structlog.contextvars.bind_contextvars(conversation=conversation_id)
    fence = new_fence()
    sent = time.perf_counter()
    batch = await parts.mailbox.begin(conversation_id, job_id, fence, take=take)
    if isinstance(batch, NotBegun):
        return
    with suppress(LeaseLost):
        async with parts.leases.hold(conversation_id, fence) as lease:
            try:
                timing = Timing(batch.now, time.perf_counter() - sent)
                await Owner(parts, conversation_id, batch, lease, timing).work()
            except asyncio.CancelledError:
                if not lease.lost:
                    await asyncio.shield(_hand_back(parts, lease))
                raise
        return
    _taken_over()


def _taken_over() -> None:
    metrics.LEASES_LOST.inc()
    log.warning("taken over by another worker: what the turn did is dropped")


def new_fence() -> str:
    """Return a fence: a text that nobody else has."""
    return secrets.token_hex(16)


async def _hand_back(parts: Parts, lease: Lease) -> None:
    """Give the conversation to another worker, since this one stops. A COMMIT may have been on its way."""
    with suppress(RedisUnreachable):
        for fence in lease.fences:
            if (await parts.mailbox.hand_back(lease.conversation_id, fence)).state != "refused":
                return


class Owner:
    """One owner of one conversation, from BEGIN until the conversation is given back or lost."""

    def __init__(self, parts: Parts, conversation_id: str, batch: Batch, lease: Lease, timing: Timing) -> None:
        profile = msgspec.msgpack.decode(batch.profile, type=Profile) if batch.profile else Profile()
        self._parts = parts
        self._lease = lease
        self._timing = timing
        self._batch = batch
        self._session = batch.session
        self._context = batch.context
        self._vault = Vault(parts.keys, parts.mailbox, conversation_id, batch.seal)
        self._opened = False
        self._sensitive = Sensitive()
        self._conversation = Conversation(
            id=conversation_id,
            bot_id=batch.bot_id,
            user_id=batch.user_id,
            channel=batch.channel,
            engagement=profile.engagement,
            customer_info=profile.customer_info,
            personal_info=profile.personal_info,
            account_id=parts.settings.account_id,
            status=batch.status,
            asked=batch.asked,
        )

    async def work(self) -> None:
        """Handle events until there are none, a call is waited for, or the conversation changes hands."""
        batch, tries = self._batch, self._batch.tries
        now = Committed("running", batch.asked, batch.turn, batch.events, batch.result)
        if batch.writes:
            now = await self._apply(batch.writes)
        while now.state == "running":
            event = now.result or now.events[0]
            now = await self._handle(event, number=now.turn + 1, tries=tries)
            if now.state == "writes":
                now = await self._apply(now.writes)
            tries = 1
        if now.state == "refused":
            _taken_over()

    async def _handle(self, event: StoredEvent, *, number: int, tries: int) -> Committed:
        """Run the turn of one event and commit it; an event that cannot be handled is given up."""
        structlog.contextvars.bind_contextvars(turn=number)
        self._timing.handed(event.at)
        if poison.is_poison(tries):
            note = f"its worker was lost {tries - 1} times in a row"
            return await self._commit(event, await self._burial(event, number, poison.LEASES_LOST, note))
        failure = ""
        for _ in range(poison.ENGINE_TRIES):
            try:
                ran = await run_turn(self._parts, await self._question(event, number))
                self._timing.ran(ran)
                commit = await self._turn(event, number, ran)
                stored = await self._vault.sealed(commit, self._session) if ran.answer.sensitive else commit
            except (EngineFailure, TurnTooLarge, VersionGone) as error:
                failure = str(error)
                metrics.ENGINE_FAILURES.inc()
                if isinstance(error, TurnTooLarge):
                    metrics.limit_hit("turn-too-large")
                log.warning("a turn failed", reason=failure)
            else:
                committed = await self._commit(event, commit, stored)
                with suppress(RedisUnreachable):
                    await self._parts.versions.keep(ran.version, self._conversation.bot_id)
                metrics.count_lines(ran.answer.trace)
                return committed
        return await self._commit(event, await self._burial(event, number, poison.ENGINE, failure))

    async def _question(self, event: StoredEvent, number: int) -> Question:
        """Return what a turn is asked, opened. Raises EngineFailure when what is stored cannot be."""
        key = await self._vault.key_of(event)
        if not self._opened:
            self._session = self._vault.open(self._session, SESSION)
            self._context = self._vault.open(self._context, CONTEXT)
            self._opened = True
        return Question(
            conversation=self._conversation,
            number=number,
            event=event,
            session=self._session,
            context=self._context,
            now=self._timing.redis_ms(),
            key=key,
        )

    async def _turn(self, event: StoredEvent, number: int, ran: Ran) -> Commit:
        budgets = {}
        self._sensitive = Sensitive()
        if ran.answer.sensitive:
            self._sensitive = (await self._parts.versions.facts(ran.version)).sensitive
        if any(isinstance(effect, StartCall) for effect in ran.answer.effects):
            budgets = dict((await self._parts.versions.facts(ran.version)).budgets)
        handled = Handled(
            conversation_id=self._conversation.id,
            number=number,
            event=event,
            version=ran.version,
            session=self._session,
            context=self._context,
            session_ms=ran.session_ms,
            budgets=budgets,
            runs=ran.runs,
            ms=ran.ms,
            keep_values=self._parts.settings.console,
        )
        return commit_of(handled, ran.answer, self._fences(), self._encode)

    async def _burial(self, event: StoredEvent, number: int, reason: str, note: str) -> Commit:
        log.error("an event is given up", reason=reason)
        metrics.DEAD_LETTERS.labels(reason).inc()
        text, version = NOT_UNDERSTOOD, ""
        with suppress(VersionGone):
            version = (await self._parts.versions.current(self._conversation.bot_id)).version
            text = (await self._parts.versions.facts(version)).default_error or NOT_UNDERSTOOD
        handled = Handled(
            conversation_id=self._conversation.id,
            number=number,
            event=event,
            version=version,
            session=self._session,
            context=self._context,
        )
        if self._conversation.status != "open":
            text = ""  # the bot is not the one who speaks now
        return poison.burial(handled, reason, note, text, self._fences())

    async def _commit(self, event: StoredEvent, commit: Commit, stored: Commit | None = None) -> Committed:
        """Commit what a turn changes; `stored` is the same, sealed."""
        self._timing.committing()
        with self._lease.handing_over(commit.next_fence):
            committed = await self._parts.mailbox.commit(self._conversation.id, stored or commit)
        if stored is None or stored is commit:
            self._vault.left_bare(commit.session)
        if committed.state not in NOT_STORED:
            self._timing.committed()
            metrics.turns(event.kind).inc()
            metrics.REPLIES.inc(len(commit.replies))
        kept = {name: raw for name, raw in self._session.items() if name not in commit.session_remove}
        self._session = kept | commit.session
        apply_fields(self._context, commit.context)
        self._conversation = msgspec.structs.replace(
            self._conversation, status=commit.status or self._conversation.status, asked=committed.asked
        )
        return committed

    async def _apply(self, writes: list[bytes]) -> Committed:
        """Carry out writes to other slots, then go on as after COMMIT."""
        await self._parts.context.apply(writes)
        fence, next_fence = self._fences()
        with self._lease.handing_over(next_fence):
            return await self._parts.mailbox.release(self._conversation.id, fence, next_fence)

    def _fences(self) -> tuple[str, str]:
        return self._lease.fence, new_fence()

    def _encode(self, write: ContextWrite) -> bytes:
        """Return a write to other slots, sealed when what it writes is sensitive by its name."""
        sealing = self._parts.consumer_data if self._sensitive.matches(write.name or "") else None
        conversation = self._conversation
        try:
            return encode_write(write, user_id=conversation.user_id, bot_id=conversation.bot_id, sealing=sealing)
        except CannotOpen as error:
            raise EngineFailure(f"{error}.") from error
