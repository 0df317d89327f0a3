"""What one run of a call's job knows of its call, and the outcome that is made of it."""

import asyncio
import logging
import time
from dataclasses import dataclass, field
from typing import Any

import msgspec
import structlog

from services.integration_worker import metrics
from services.integration_worker.exchange import word
from shared.dialog.events import Attempt, CallOutcome, SentRequest
from shared.integration.client import Answer
from shared.integration.policy import Ending
from shared.integration.repeating import Made
from shared.queue.records import CallStarted

log = structlog.get_logger()


@dataclass
class Job:
    """What one run of the job knows of its call. `ends_at` is on the loop's clock."""

    call_id: str
    claim: str
    started: CallStarted
    ends_at: float
    attempts: list[Attempt]
    values: dict[str, Any]
    recorded: int  # how many of `attempts` Redis has
    fresh: bool = True  # the attempt that START recorded has not been made yet
    last: Made | None = None
    address: str = ""
    method: str = ""
    sent: SentRequest | None = None
    begun: float = field(default_factory=time.monotonic)

    @property
    def number(self) -> int:
        """The number of the attempt that START recorded last."""
        return self.started.attempts + 1


def begun(call_id: str, claim: str, started: CallStarted) -> Job:
    """Return the job that START let begin, or go on with the attempts and the time that are left."""
    attempts = [one for record in started.ended for one in _recorded(record)]
    if started.interrupted:
        attempts.append(Attempt(0, 0.0, "interrupted"))
    ends_at = asyncio.get_running_loop().time() + started.left_ms / 1000
    values = msgspec.msgpack.decode(started.values, type=dict[str, Any])
    return Job(call_id, claim, started, ends_at, attempts, values, len(attempts))


def _recorded(record: bytes) -> list[Attempt]:
    """Return the attempts of a record; a worker of version 0.1.0 wrote one alone."""
    found = msgspec.json.decode(record, type=list[Attempt] | Attempt)
    return [found] if isinstance(found, Attempt) else found


def answered(job: Job, answer: Answer) -> CallOutcome:
    """Return the outcome of a call that ended with this answer, and log how it ended."""
    if answer.ending.failure is not None:
        return failed(job, answer.ending.failure, answer.ending.detail)
    _report(job, answer.ending)
    return CallOutcome(
        job.call_id,
        status=answer.ending.status,
        headers=answer.headers,
        body=answer.body,
        attempts=job.attempts,
        method=job.method,
        address=job.address,
        request=job.sent,
    )


def failed(job: Job, failure: str, detail: str) -> CallOutcome:
    """Return the outcome of a call without an answer, and log why: `failure` is a word of docs/testing.md."""
    _report(job, Ending(failure=failure))
    return CallOutcome(
        job.call_id,
        failure=failure,
        failure_detail=detail,
        attempts=job.attempts,
        method=job.method,
        address=job.address,
        request=job.sent,
    )


def _report(job: Job, ending: Ending) -> None:
    seconds = time.monotonic() - job.begun
    metrics.CALL_SECONDS.observe(seconds)
    log.log(
        logging.INFO if ending.failure is None else logging.WARNING,
        "call",
        integration=job.started.integration_id,
        version=job.started.version[:12],
        method=job.method,
        outcome=word(ending),
        attempts=len(job.attempts),
        ms=round(seconds * 1000),
    )
