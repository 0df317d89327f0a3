"""Attempts at what is protected: one waits for its place within the time of its call, or is held back.

Who waits is told by the worker whose attempt ends, over a list in Redis, and asks by itself only when a permit ends of
which nobody would tell. Without limits nothing is asked.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import msgspec
import structlog
from arq.connections import ArqRedis

from services.integration_worker import metrics
from services.integration_worker.patience import patiently
from services.integration_worker.visiting import Visits
from shared.bot.integration import Policy
from shared.integration.client import Answer
from shared.integration.policy import Ending
from shared.protection.gate import Gate
from shared.protection.guards import Guard, verdict
from shared.store import call_keys
from shared.store.connection import RedisUnreachable, translated

BREAKER_OPEN, LIMITED = "breaker_open", "limited"
HELD_BACK = frozenset({BREAKER_OPEN, LIMITED})
_WHY = {
    "open": (BREAKER_OPEN, "the breaker is open: the last calls failed"),
    "late": (LIMITED, "the rate has no place for one more call in time"),
}
_LEAVE_SECONDS = 5.0
_LISTEN_SECONDS = 2  # less than the connection's own limit
_PAUSE = 0.5
_LIVE_EVERY = 1.5  # a worker that does not say so for five seconds loses its places

log = structlog.get_logger()


class Pause(NamedTuple):
    """What is to be done before an attempt waits, and before one that has waited is made: it may be stopped then.

    `ends` tells whether it can still be made; False when its time is over.
    """

    begins: Callable[[], Awaitable[None]]
    ends: Callable[[], Awaitable[bool]]


async def _says_nothing() -> None:
    pass


async def _goes_on() -> bool:
    return True


UNSAID = Pause(_says_nothing, _goes_on)
"""For a wait that makes no difference to what is done when the worker dies meanwhile."""


class Protector:
    """Lets attempts through the gate. One serves a whole worker."""

    def __init__(self, redis: ArqRedis) -> None:
        self._redis = redis
        self._gate = Gate(redis)
        self._worker = secrets.token_hex(8)
        self._bells: dict[str, asyncio.Event] = {}
        self._listening: asyncio.Task[None] | None = None
        self._leaving: set[asyncio.Task[None]] = set()
        self._attempts = 0
        self._living: asyncio.Task[None] | None = None

    async def attempt(
        self,
        guards: tuple[Guard, ...],
        policy: Policy,
        ends_at: float,
        make: Callable[[Visits], Awaitable[Answer]],
        pause: Pause,
    ) -> tuple[Answer, float]:
        """Make an attempt at what `guards` protect, when it may be made; return its answer, and the seconds it waited.

        `ends_at` is the end of the call on the loop's clock. An attempt that is held back is not made: its answer's
        failure is one of `HELD_BACK`. `make` is given the attempt's visits, to be told of redirects. Raises
        RedisUnreachable, and what `pause` raises.
        """
        self._attempts += 1
        if self._living is None or self._living.done():
            self._living = asyncio.get_running_loop().create_task(self._live())
        try:
            return await self._attempt(guards, policy, ends_at, make, pause)
        finally:
            self._attempts -= 1

    async def _attempt(
        self,
        guards: tuple[Guard, ...],
        policy: Policy,
        ends_at: float,
        make: Callable[[Visits], Awaitable[Answer]],
        pause: Pause,
    ) -> tuple[Answer, float]:
        began = asyncio.get_running_loop().time()
        ticket = f"{self._worker}:{secrets.token_hex(8)}"
        held_back = await self._entered(guards, ticket, ends_at, pause) if guards else None
        waited = asyncio.get_running_loop().time() - began
        if held_back is not None:
            return Answer(held_back, sent=0), waited
        visits = Visits(self, guards, ticket)
        try:
            answer = await make(visits)
        except BaseException:
            for held, its_ticket in visits.held():
                self._leave_later(held, its_ticket, "neither")
            raise
        if visits.waits_for is not None and answer.ending.failure == "timeout":
            answer = msgspec.structs.replace(answer, ending=_held_back("wait", visits.waits_for))
        ending = answer.ending
        word = ending.failure or str(ending.status)
        for held, its_ticket in visits.held():
            await self.leave(held, its_ticket, verdict(ending.failure, ending.status, policy.success), word)
        return answer, waited + visits.waited

    async def enter_late(self, guard: Guard, ticket: str, ends_at: float) -> Ending | None:
        """Wait for a place at a host after the attempt has begun; return why there is none."""
        return await self._entered((guard,), ticket, ends_at, UNSAID)

    async def _entered(self, guards: tuple[Guard, ...], ticket: str, ends_at: float, pause: Pause) -> Ending | None:
        try:
            return await self._enter(guards, ticket, ends_at, pause)
        except BaseException:
            self._leave_later(guards, ticket, "unused")
            raise

    async def _enter(self, guards: tuple[Guard, ...], ticket: str, ends_at: float, pause: Pause) -> Ending | None:
        """Return when the attempt may be made, or why it may not. One that is too late already is not held up."""
        paused = False
        loop = asyncio.get_running_loop()
        bell = self._bells[ticket] = asyncio.Event()
        guard: Guard | None = None
        try:
            while (left := ends_at - loop.time()) > 0:
                bell.clear()
                entered = await patiently(lambda left=left: self._gate.enter(guards, ticket, left), left)  # type: ignore[misc]
                guard = entered.guard or guards[0]
                if entered.outcome in _WHY:
                    return _held_back(entered.outcome, guard)
                if entered.outcome == "go":
                    if paused and not await pause.ends():
                        break
                    return None
                if not paused:
                    await pause.begins()
                    paused = True
                self._listen()
                with metrics.waiting():  # also for its time in the rate: then, or when a breaker opens, it asks again
                    await _rung(bell, min(entered.seconds, ends_at - loop.time()))
        finally:
            del self._bells[ticket]
        if guard is None:
            return None
        await self.leave(guards, ticket, "unused", "")
        return _held_back("wait", guard)

    async def leave(self, guards: tuple[Guard, ...], ticket: str, how: str, word: str = "") -> None:
        """Say how it ended; if Redis is away for long the permit ends by itself."""
        with contextlib.suppress(RedisUnreachable):
            changed = await patiently(lambda: self._gate.leave(guards, ticket, how, word), _LEAVE_SECONDS)
            for guard, state in changed:
                metrics.BREAKERS.labels(guard.kind, state).inc()
                told = log.warning if state == "open" else log.info
                told("a breaker changed", guard=guard.id, state=state, last=word)

    def _leave_later(self, guards: tuple[Guard, ...], ticket: str, how: str) -> None:
        """Leave in a task of its own: who made the attempt is being stopped."""
        task = asyncio.get_running_loop().create_task(self.leave(guards, ticket, how))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    def _listen(self) -> None:
        if self._listening is None or self._listening.done():
            self._listening = asyncio.get_running_loop().create_task(self._hear())

    async def _hear(self) -> None:
        """Wake those who are told, for as long as anybody waits."""
        while self._bells:
            try:
                with translated():
                    heard = await self._redis.blpop([call_keys.told(self._worker)], timeout=_LISTEN_SECONDS)  # type: ignore[misc]
            except RedisUnreachable:
                await asyncio.sleep(_PAUSE)
                continue
            if heard and (bell := self._bells.get(heard[1].decode())):
                bell.set()

    async def _live(self) -> None:
        """Say that this worker lives, for as long as it has attempts."""
        while self._attempts:
            await asyncio.sleep(_LIVE_EVERY)
            with contextlib.suppress(RedisUnreachable):
                await self._gate.live(self._worker)

    async def close(self) -> None:
        """Let what is being left be left, and listen no more."""
        if self._leaving:
            await asyncio.wait(self._leaving, timeout=1)
        for task in (self._listening, self._living):
            if task is not None:
                task.cancel()
                await asyncio.wait({task}, timeout=1)


async def _rung(bell: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await bell.wait()


def _held_back(outcome: str, guard: Guard) -> Ending:
    word, why = _WHY.get(outcome, (LIMITED, "no place for one more call came free in time"))
    metrics.HELD_BACK.labels(guard.kind, word).inc()
    return Ending(failure=word, detail=f"{guard.kind} {guard.name}: {why}")
