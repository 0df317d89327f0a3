"""One call, from its job to its outcome: START, attempt, perhaps again, RESULT.

Whatever happens here may happen twice: a job whose worker died is run again, and goes on with the attempts and the
time that are left, or ends as `interrupted` (design section 7).
"""

import asyncio
import secrets
from typing import Any

import msgspec
import structlog

from services.integration_worker import metrics
from services.integration_worker.bots import BotUnusable
from services.integration_worker.exchange import Exchanges, Wanted, class_of
from services.integration_worker.idempotency import with_idempotency_key
from services.integration_worker.job import Job, answered, begun, failed
from services.integration_worker.patience import patiently
from services.integration_worker.protecting import HELD_BACK, Pause
from services.integration_worker.records import BotVersions, CallRecords
from shared.bot.integration import Integration
from shared.bot.model import Bot
from shared.dialog.events import CallOutcome, SentRequest
from shared.integration.filling import InvalidRequest
from shared.integration.policy import Ending, Retry, decide
from shared.integration.repeating import Made, repeat
from shared.integration.request import Request, render_request
from shared.integration.shown import show_request
from shared.integration.url import without_query
from shared.privacy.naming import Sensitive
from shared.store.connection import RedisUnreachable

_WAIT_FOR_REDIS = 15.0
_LONGEST_OUTCOME = 2 * 1024 * 1024  # control characters grow sixfold; a turn's frame has to hold it

log = structlog.get_logger()


class _Stopped(Exception):  # noqa: N818 - ends the attempts, never leaves this module
    """START refused another attempt."""

    def __init__(self, outcome: str) -> None:
        super().__init__(outcome)
        self.outcome = outcome


class Calls:
    """Makes calls. One serves a whole worker. `show` lets outcomes carry their requests, for consoles."""

    def __init__(self, mailbox: CallRecords, bots: BotVersions, exchanges: Exchanges, *, show: bool = False) -> None:
        self._mailbox = mailbox
        self._bots = bots
        self._exchanges = exchanges
        self._show = show

    async def call(self, call_id: str) -> None:
        """Make the call and hand its outcome to the conversation. Raises RedisUnreachable after some patience."""
        conversation, _, turn = call_id.rpartition(".")
        structlog.contextvars.bind_contextvars(conversation=conversation, turn=int(turn))
        claim = secrets.token_hex(8)
        started = await patiently(lambda: self._mailbox.start(call_id, claim), _WAIT_FOR_REDIS)
        if started.outcome == "late":
            detail = "the call was not begun in time"
            log.warning("a call came too late: it is not made")
            await self._end(call_id, CallOutcome(call_id, failure="late", failure_detail=detail), "")
        elif started.outcome == "go":
            job = begun(call_id, claim, started)
            outcome = await self._guarded(job)
            if outcome is not None:
                await self._end(call_id, outcome, started.integration_id)
        else:
            _dropped(started.outcome)

    async def close(self) -> None:
        """End what goes on beside the calls."""
        await self._exchanges.close()

    async def _guarded(self, job: Job) -> CallOutcome | None:
        """Return what became of the call, also when a fault of ours met it: nobody is to wait for its budget to end."""
        try:
            return await self._outcome(job)
        except RedisUnreachable:
            raise
        except Exception:
            log.exception("the worker failed on a call", integration=job.started.integration_id)
            return failed(job, "lost", "the integration worker failed on it: its log says why")

    async def _outcome(self, job: Job) -> CallOutcome | None:
        """Return what became of the call, None when nobody waits for it any more."""
        try:
            bot = await patiently(lambda: self._bots.get(job.started.version), _WAIT_FOR_REDIS)
            integration = _integration(bot, job)
            request = _rendered(integration, job)
            if self._show:
                job.sent = _shown(bot, integration, job.values, request)
        except (BotUnusable, InvalidRequest) as error:
            return failed(job, "invalid", str(error))
        if job.started.interrupted and not _goes_on(job, integration):
            return failed(job, "interrupted", "its worker died in mid-call, and it may have been executed")
        try:
            made = await self._attempts(job, Wanted(request, bot, integration, job.values))
        except _Stopped as stopped:
            if stopped.outcome != "late":
                _dropped(stopped.outcome)
                return None
            if job.last is None:
                return failed(job, "late", "the call was not begun in time")
            made = job.last
        if made.answer.ending.failure in HELD_BACK and job.last is not None:
            made = job.last  # an answer that came says more than that no other was asked for
        return answered(job, made.answer)

    async def _attempts(self, job: Job, wanted: Wanted) -> Made:
        policy, request, pause = wanted.integration.policy, wanted.request, self._pause(job)
        loop = asyncio.get_running_loop()

        async def attempt() -> Made:
            if not job.fresh:
                await self._start_another(job)
            job.fresh = False
            answer = await self._exchanges.attempt(wanted, job.ends_at, job.attempts, pause)
            made = Made(request.method, job.number, job.ends_at - loop.time(), answer)
            if answer.ending.failure not in HELD_BACK:
                job.last = made
            return made

        async def another(_: Made) -> None:
            record = msgspec.json.encode(job.attempts[job.recorded :])
            job.recorded = len(job.attempts)
            await patiently(
                lambda: self._mailbox.finish_attempt(job.call_id, job.claim, record), job.ends_at - loop.time()
            )

        return await repeat(policy, request.method, attempt, another)

    def _pause(self, job: Job) -> Pause:
        """Say in Redis that an attempt is not made yet: should the worker die, nothing may have been executed."""
        loop = asyncio.get_running_loop()

        async def begins() -> None:
            left = max(job.ends_at - loop.time(), 0)
            await patiently(lambda: self._mailbox.finish_attempt(job.call_id, job.claim, b""), left)

        async def ends() -> bool:
            try:
                await self._start_another(job)
            except _Stopped as stopped:
                if stopped.outcome != "late":
                    raise
                return False
            return True

        return Pause(begins, ends)

    async def _start_another(self, job: Job) -> None:
        """START the next attempt under a claim of its own. Raises _Stopped."""
        loop = asyncio.get_running_loop()
        job.claim = secrets.token_hex(8)
        job.started = await patiently(
            lambda: self._mailbox.start(job.call_id, job.claim), max(job.ends_at - loop.time(), 0)
        )
        if job.started.outcome != "go":
            raise _Stopped(job.started.outcome)
        job.ends_at = loop.time() + job.started.left_ms / 1000

    async def _end(self, call_id: str, outcome: CallOutcome, integration: str) -> None:
        """Hand the outcome over; a conversation that does not wait for it any more drops it."""
        encoded = msgspec.json.encode(outcome)
        if len(encoded) > _LONGEST_OUTCOME:
            outcome = _too_large(outcome)
            encoded = msgspec.json.encode(outcome)
        awaited = await patiently(lambda: self._mailbox.result(call_id, encoded), _WAIT_FOR_REDIS)
        metrics.calls(integration, class_of(Ending(outcome.status, failure=outcome.failure))).inc()
        if not awaited:
            _dropped("its result is not awaited any more")


def _goes_on(job: Job, integration: Integration) -> bool:
    """Tell whether a call that was cut off in mid-attempt may be made again."""
    left = job.started.left_ms / 1000
    made = job.started.attempts
    ending = Ending(failure="interrupted")
    return isinstance(decide(integration.policy, integration.method, made, ending, left, 0.0), Retry)


def _integration(bot: Bot, job: Job) -> Integration:
    integration = bot.integrations.get(job.started.integration_id)
    if integration is None:
        raise InvalidRequest("the bot has no such integration")
    if integration.uncallable:
        raise InvalidRequest(integration.uncallable)
    return integration


def _shown(bot: Bot, integration: Integration, values: dict[str, Any], request: Request) -> SentRequest:
    credential = bot.credentials.get(integration.credential)
    is_sensitive = Sensitive(bot.sensitive).matches
    return show_request(integration, values, request, credential=credential, is_sensitive=is_sensitive).sent()


def _rendered(integration: Integration, job: Job) -> Request:
    job.method = integration.method
    request = with_idempotency_key(render_request(integration, job.values), integration, job.call_id)
    job.address = without_query(request.url)
    return request


def _too_large(outcome: CallOutcome) -> CallOutcome:
    """Return the outcome without its answer, which grew too much when it was written as JSON."""
    detail = f"the answer is larger than {_LONGEST_OUTCOME} bytes when it is written as JSON"
    return msgspec.structs.replace(outcome, status=0, headers={}, body="", failure="too_large", failure_detail=detail)


def _dropped(reason: str) -> None:
    metrics.CALLS_DROPPED.inc()
    log.info("call dropped", reason=reason)
