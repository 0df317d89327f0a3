"""The jobs on the queues, in arq's wire format, and the settings every worker that drains them must share.

Payloads are msgpack, never pickle: whoever can write Redis must not be able to run code.
"""

import time
from typing import Any

import msgspec

ADVANCE = "advance"
CALL = "call"
CONSENT = "consent"

LEASE_MS = 3000
RENEW_SECONDS = 1.0
IDLE_POLL_SECONDS = 0.5
BELL_LIMIT = 1000
PAYLOAD_TTL_MS = 24 * 3600 * 1000
JOB_TIMEOUT_SECONDS = 600
MAX_TRIES = 10**6
QUEUE_READ_LIMIT = 1000
HEALTH_SECONDS = 10


def worker_settings() -> dict[str, Any]:
    """Return what every arq worker on these queues must be given, stock or doorbell (reference/queue.md 2).

    arq counts crashes and shutdowns as tries and drops a job that has too many; conversations count their own. A kept
    result blocks its job id. The read limit must exceed what all workers together run.
    """
    return {
        "max_tries": MAX_TRIES,
        "keep_result": 0,
        "keep_result_forever": False,
        "retry_jobs": True,
        "allow_abort_jobs": False,
        "log_results": False,
        "queue_read_limit": QUEUE_READ_LIMIT,
        "job_timeout": JOB_TIMEOUT_SECONDS,
        "health_check_interval": HEALTH_SECONDS,
        "job_serializer": serialize,
        "job_deserializer": deserialize,
    }


def serialize(job: dict[str, Any]) -> bytes:
    """Return a job or a result as msgpack. An exception becomes the name of its class: its text may hold values."""
    return msgspec.msgpack.encode(job, enc_hook=lambda value: type(value).__name__)


def deserialize(payload: bytes) -> dict[str, Any]:
    """Return what `serialize` was given. Raises `msgspec.DecodeError` when it is not a msgpack map."""
    return msgspec.msgpack.decode(payload, type=dict[str, Any])


def argument_of(job_id: str, function: str = ADVANCE) -> str | None:
    """Return the argument of a job `<function>:{sN}:<argument>:<n>` of the mailbox' making; None for any other job."""
    parts = job_id.split(":")
    return parts[2] if len(parts) == 4 and parts[0] == function else None


def advance_payload(conversation_id: str) -> bytes:
    """Return the job that advances a conversation."""
    return _payload(ADVANCE, conversation_id)


def call_payload(call_id: str) -> bytes:
    """Return the job that makes a call (`<conversationId>.<turn>`)."""
    return _payload(CALL, call_id)


def _payload(function: str, argument: str) -> bytes:
    """`t` tries before this one, `f` function, `a` and `k` arguments, `et` enqueue time in ms (for logs only)."""
    return serialize({"t": None, "f": function, "a": [argument], "k": {}, "et": int(time.time() * 1000)})
