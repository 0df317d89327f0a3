"""The numbers of an integration worker, served at its operations port.

Names of integrations are the bots' own: so that nobody can fill the memory of whoever collects these numbers, the
first `MOST_NAMES` that a worker meets have a label of their own, in `NAME_LENGTH` characters, and all others share one.
"""

import contextlib
from collections.abc import Iterator
from functools import cache

from prometheus_client import Counter, Gauge

from services.histogram import LoopHistogram

MOST_NAMES, NAME_LENGTH, OTHER = 100, 60, "other"
_LONG = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60)

CALLS = Counter("botlane_calls", "Calls that ended, by status class or failure", ["integration", "outcome"])
CALLS_DROPPED = Counter("botlane_calls_dropped", "Calls whose conversation did not wait for them any more")
CALLS_IN_FLIGHT = Gauge("botlane_calls_in_flight", "Calls that this worker makes now")
ATTEMPTS = Counter("botlane_call_attempts", "Attempts of calls, by status class or failure", ["outcome"])
TOKEN_REQUESTS = Counter(
    "botlane_token_requests", "Tokens asked for at token end-points: issued, refused, or unreachable", ["outcome"]
)
CALL_SECONDS = LoopHistogram("botlane_call_seconds", "Time of a call in this worker, with its pauses", buckets=_LONG)
WAITING = Gauge("botlane_calls_waiting", "Calls of this worker that wait for a place: too many at once, or in a time")
WAIT_SECONDS = LoopHistogram("botlane_call_wait_seconds", "Times for which calls waited for a place", buckets=_LONG)
HELD_BACK = Counter(
    "botlane_calls_held_back", "Attempts not made: breaker_open, or limited (no place in time)", ["guard", "why"]
)
BREAKERS = Counter("botlane_breaker_changes", "Breakers that this worker saw open or close", ["guard", "state"])
_ALIKE = " (every integration worker exports the same: take the max)"
GUARD_IN_FLIGHT = Gauge(
    "botlane_guard_in_flight", "Attempts at a limited integration or host" + _ALIKE, ["guard", "name"]
)
GUARD_WAITING = Gauge("botlane_guard_waiting", "Attempts that wait for a place there" + _ALIKE, ["guard", "name"])
BREAKER_STATE = Gauge(
    "botlane_breaker_state", "Its breaker: 0 closed, 0.5 half-open, 1 open" + _ALIKE, ["guard", "name"]
)

_names: set[str] = set()


def label_of(integration: str) -> str:
    """Return the label that stands for an integration."""
    name = integration[:NAME_LENGTH]
    if name in _names:
        return name
    if len(_names) >= MOST_NAMES:
        return OTHER
    _names.add(name)
    return name


def calls(integration: str, outcome: str) -> Counter:
    """Return the counter of the calls of one integration that ended alike."""
    return CALLS.labels(label_of(integration), outcome)


@contextlib.contextmanager
def waiting() -> Iterator[None]:
    """Count a call as one that waits for a place, and measure for how long it does."""
    with WAITING.track_inprogress(), WAIT_SECONDS.time():
        yield


@cache  # as many as there are classes of statuses and failures
def attempts(outcome: str) -> Counter:
    """Return the counter of attempts that ended alike."""
    return ATTEMPTS.labels(outcome)
