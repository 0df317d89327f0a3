"""No server, however it misbehaves, holds up a call beyond its budget, and the trace has every request the server saw."""

import asyncio
import random
from collections import Counter

import pytest
import uvloop
from arq.connections import ArqRedis

from services.integration_worker.protecting import HELD_BACK
from shared.dialog.events import CallOutcome
from shared.store.connection import connect
from tests.proofs.form import LONG, Record, again, chunks, fail, record_figures
from tests.proofs.stolen import Stolen, watching
from tests.services.integration_worker.calling import Waiting, words
from tests.services.integration_worker.cases import BROKEN, CASES, LARGE, OK, REDIRECTED, SLOW, STATUSES, Case, play
from tests.services.integration_worker.misbehaving import late, serving

ROUNDS = 20 if LONG else 2
RANDOM = 3_000 if LONG else 200
AT_ONCE = 12
GRACE = 0.25
SHARE = 2  # the server of the conversations was kept waiting as well
ANSWERS = [case.answers[0] for group in (SLOW, BROKEN, LARGE, STATUSES, REDIRECTED) for case in group]
pytestmark = [pytest.mark.proof, pytest.mark.timeout(900, method="thread")]


class Measured:
    """Plays cases side by side, and keeps what was wrong."""

    def __init__(self, redis: ArqRedis, stolen: Stolen) -> None:
        self.counts: Counter[str] = Counter()
        self.slowest = {"beyond its budget": 0.0}
        self.wrong: list[str] = []
        self._redis = redis
        self._stolen = stolen
        self._gate = asyncio.Semaphore(AT_ONCE)

    async def play(self, case: Case, retries: int = 3) -> None:
        async with self._gate, serving() as here, serving() as there:
            before = self._stolen.seconds
            outcome, took = await play(case, Waiting(self._redis), here, there)
            stolen = self._stolen.seconds - before
            seen = here.seen.count + there.seen.count
        self.counts.update({"calls": 1, "attempts": len(outcome.attempts), "requests": seen})
        self.slowest["beyond its budget"] = max(self.slowest["beyond its budget"], took - case.budget - stolen)
        sent = sum(attempt.sent for attempt in outcome.attempts)
        problems = {
            f"took {took:.3f} s of {case.budget} s ({stolen:.3f} s were stolen)": took
            <= case.budget + GRACE + SHARE * stolen,
            f"the trace has {sent} requests, the server saw {seen}": sent == seen,
            f"{len(outcome.attempts)} attempts": 1 <= len(outcome.attempts) <= retries + 1,
            f"{words(outcome)} ended as {_end(outcome)}": _last(outcome) == str(_end(outcome)),
        }
        if case.attempts and stolen < GRACE:
            problems[f"{words(outcome)}, not {case.attempts}"] = words(outcome) == case.attempts
        self.wrong += [f"{case.name}: {problem}" for problem, fine in problems.items() if not fine]


def _last(outcome: CallOutcome) -> str:
    """How the last attempt ended that was made, if any was."""
    made = [word for word in words(outcome) if word not in HELD_BACK]
    return (made or words(outcome) or [""])[-1]


def _end(outcome: CallOutcome) -> int | str:
    return outcome.failure or outcome.status


def measured(url: str, cases: list[tuple[Case, int]]) -> Measured:
    """Play cases on the loop that the programs run on."""

    async def play() -> Measured:
        redis = connect(url)
        with watching(url) as stolen:
            played = Measured(redis, stolen)
            await asyncio.gather(*(played.play(case, retries) for case, retries in cases))
        await redis.aclose()
        return played

    return uvloop.run(play())


def test_every_misbehaviour_ends_within_the_budget(valkey_server: str, record_property: Record) -> None:
    played = measured(valkey_server, [(case, 3) for _ in range(ROUNDS) for case in CASES])
    fail(played.wrong)
    record_figures(record_property, "servers that misbehave", played.counts, played.slowest)


def odd(seed: int) -> tuple[Case, int]:
    """Return a case of anything, one after the other, under any policy and limits."""
    chance = random.Random(seed)
    budget = chance.choice([0.2, 0.4, 0.8])
    retries = chance.randint(0, 6)
    lines = [f"total_timeout = {budget}", f"retries = {retries}"]
    if chance.random() < 0.5:
        lines.append(f"attempt_timeout = {chance.choice([0.05, 0.1, 0.2])}")
    if chance.random() < 0.3:
        lines.append("retry_on = ['4xx', '5xx', 'lost', 'timeout', 'unreachable']")
    if retries and chance.random() < 0.5:
        lines.append("repeat_unsafe = true")
    if chance.random() < 0.5:  # shared with all others that are played meanwhile
        lines.append(f"concurrency = {chance.choice([1, 2, 4, 8])}")
    if chance.random() < 0.3:
        lines.append(f'rate = "{chance.choice([5, 20, 100])}/s"')
    if chance.random() < 0.2:
        lines.append('breaker = { failures = 20, open = "100ms" }')
    if chance.random() < 0.2:
        lines.append(f'[hosts."*"]\nconcurrency = {chance.choice([1, 3, 6])}')
    answers = [chance.choice([*ANSWERS, OK, late(0.05), late(0.3)]) for _ in range(chance.randint(1, 6))]
    method = chance.choice(["GET", "POST", "PUT", "DELETE"])
    return Case(f"{seed} ({', '.join(lines)})", answers, [], 0, method, "\n".join(lines) + "\n", budget), retries


@pytest.mark.parametrize("seeds", chunks(RANDOM, 200), ids=lambda seeds: f"from {seeds.start}")
def test_anything_ends_within_any_budget(valkey_server: str, seeds: range, record_property: Record) -> None:
    played = measured(valkey_server, [odd(seed) for seed in seeds])
    fail(f"{problem}\n  {again(problem.partition(' ')[0], __file__)}" for problem in played.wrong)
    record_figures(record_property, "servers that misbehave at random", played.counts, played.slowest)
