"""The numbers of an integration worker, served at its operations port."""

from prometheus_client import Counter, Histogram

CALLS = Counter("botlane_calls", "Calls that ended, by status class or failure", ["outcome"])
CALLS_DROPPED = Counter("botlane_calls_dropped", "Calls whose conversation did not wait for them any more")
ATTEMPTS = Counter("botlane_call_attempts", "Attempts of calls, by status class or failure", ["outcome"])
CALL_SECONDS = Histogram("botlane_call_seconds", "Time of a call in this worker, with its pauses")
