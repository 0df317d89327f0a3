"""The numbers of a dialog worker, served at its operations port. Labels come from the code, never from a bot."""

from collections.abc import Iterable
from functools import cache

from prometheus_client import Counter, Gauge

from services.histogram import LoopHistogram
from shared.dialog.trace import TraceLine

PHASES = ("inbox", "begin", "turn-process", "process-wait", "engine", "scripts", "commit")
LIMITS = ("chain-limit", "refused", "regex-stopped", "script-stopped", "turn-too-large")
_SHORT = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

TURNS = Counter("botlane_turns", "Turns committed, by kind of event", ["event"])
TURN_SECONDS = LoopHistogram("botlane_turn_seconds", "From the acceptance of an event to its commit", buckets=_SHORT)
PHASE_SECONDS = LoopHistogram(
    "botlane_turn_phase_seconds",
    "Parts of a turn: inbox = accepted, not yet handed to a worker; begin and commit = round trips to Redis; "
    "turn-process = given to the turn processes and answered, which holds process-wait (until one is free) and engine, "
    "which holds scripts (CPU time)",
    ["phase"],
    buckets=_SHORT,
)
SCRIPT_SECONDS = LoopHistogram("botlane_script_seconds", "CPU time of one script", buckets=_SHORT)
LIMITS_HIT = Counter("botlane_limits_hit", "Limits that stopped a part of a turn, by the word in its trace", ["limit"])
REPLIES = Counter("botlane_replies", "Messages that turns sent to consumers")
ENGINE_FAILURES = Counter("botlane_engine_failures", "Turns that failed; each is tried three times")
DEAD_LETTERS = Counter(
    "botlane_dead_letters",
    "Events given up, by reason; those that a closed conversation left are only among the kept",
    ["reason"],
)
LEASES_LOST = Counter("botlane_leases_lost", "Conversations that another worker took over in mid-turn")
RECOVERED = Counter("botlane_recovered", "Conversations that the sweeper gave a new job")
CONVERSATIONS_HELD = Gauge("botlane_conversations_held", "Conversations that this worker handles now")
TURN_PROCESSES = Gauge("botlane_turn_processes", "Turn processes of this worker", ["state"])
REPLACED = Counter("botlane_turn_processes_replaced", "Turn processes that ended, by why", ["why"])
LOOK_UPS = Counter("botlane_domain_look_ups", "Hosts of services that were looked up, by outcome", ["outcome"])
UNDERSTANDING = Counter("botlane_understanding", "Texts that an endpoint was asked about, by outcome", ["outcome"])

phase_seconds = {phase: PHASE_SECONDS.labels(phase) for phase in PHASES}
_limits = {limit: LIMITS_HIT.labels(limit) for limit in LIMITS}


@cache  # as many as there are kinds of events
def turns(kind: str) -> Counter:
    """Return the counter of the turns of one kind of event."""
    return TURNS.labels(kind)


@cache  # as many as there are reasons in turn_child.py
def replaced(why: str) -> Counter:
    """Return the counter of turn processes that ended for one reason."""
    return REPLACED.labels(why)


def limit_hit(limit: str) -> None:
    """Count one of LIMITS."""
    _limits[limit].inc()


def count_lines(lines: Iterable[TraceLine]) -> None:
    """Count what the trace of a committed turn says of scripts and limits."""
    for line in lines:
        if line.code == "script":
            SCRIPT_SECONDS.observe(float(line.facts["ms"]) / 1000)
        elif line.code in _limits:
            _limits[line.code].inc()
