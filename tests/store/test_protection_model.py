"""Random walks through guards: the scripts agree with the model, on a clock that the test sets, each sent twice.

Beside the model, the promises themselves: never more at once, never more in a time, nobody past an open breaker.
"""

import asyncio
from collections.abc import Awaitable
from random import Random
from typing import Any, cast

import pytest
from arq.connections import ArqRedis

from shared.bot.protection import Breaker, Protection, Rate
from shared.protection import gate
from shared.protection.gate import Gate
from shared.protection.guards import Guard
from shared.store import call_keys
from shared.store.connection import connect
from shared.store.packing import Script
from tests.store.conftest import assert_all_expire
from tests.store.protection_model import ON_TIME, Model, enter

_CLOCK = "local clock = redis.call('TIME')"
_OURS = "local clock = redis.call('MGET', 'queue:clock:s', 'queue:clock:us')"
STEPS = 150


def clocked(redis: ArqRedis) -> Gate:
    """A gate whose scripts read a clock that the test sets."""
    made = Gate(redis)
    for name, script in made._scripts.items():
        assert _CLOCK in script.text
        made._scripts[name] = Script(script.text.replace(_CLOCK, _OURS))
    return made


class Walk:
    """Two guards, an integration's and a host's; some tickets pass both, some the host's alone."""

    def __init__(self, redis: ArqRedis, seed: int) -> None:
        self.dice = Random(seed)
        self.redis, self.gate, self.now = redis, clocked(redis), 1_800_000_000_000
        self.told: list[str] = []
        self.living: dict[str, int] = {}
        self.guards: list[Guard] = []
        self.models: list[Model] = []
        for kind in ("integration", "host"):
            concurrency = self.dice.choice([0, 1, 2, 3])
            rate = self.dice.choice([None, Rate(1, 1000), Rate(3, 1000), Rate(8, 60_000)])
            breaker = self.dice.choice([None, Breaker(1, 0.5, 3000, 4000), Breaker(2, 0.75, 1001, 3000)])
            protection = Protection(concurrency, rate, breaker)
            self.guards.append(Guard(kind, f"{kind}:it", kind, protection))
            rated = (rate.count, rate.ms) if rate else (0, 0)
            broken = (breaker.failures, breaker.share, breaker.window_ms, breaker.open_ms) if breaker else (0, 0, 0, 0)
            self.models.append(Model(self.told, self.living, concurrency, rated, broken))
        self.tickets: dict[str, tuple[int, int]] = {}  # ticket -> first of its guards, deadline
        self.going: dict[str, int] = {}  # those that may be made -> when they began
        self.begun: list[tuple[int, int]] = []  # first of its guards, when

    async def walk(self) -> None:
        await self.pass_time(0)
        for step in range(STEPS):
            act = self.dice.choices(["time", "live", "new", "again", "end", "stop"], [3, 2, 4, 4, 4, 1])[0]
            if act == "time":
                await self.pass_time(self.dice.choice([1, 50, 499, 500, 1000, 2500, 6000]))
            elif act == "live":
                worker = self.dice.choice("abc")
                self.living[worker] = self.now
                await self.gate.live(worker)
            elif act == "new" or not self.tickets:
                ticket = f"{self.dice.choice('abc')}:{step:04}"  # of three workers
                self.tickets[ticket] = (
                    self.dice.choice([0, 1]),
                    self.now + self.dice.choice([900, 4000, 20_000]),
                )
                await self.ask(ticket)
            elif act == "again":
                asks = [ticket for ticket in sorted(self.tickets) if self.going.get(ticket, self.now) == self.now]
                for ticket in self.dice.sample(asks, min(1, len(asks))):
                    await self.ask(ticket)
            else:
                await self.leave(self.dice.choice(sorted(self.tickets)), unused=act == "stop")
            await self.check()

    async def pass_time(self, ms: int) -> None:
        self.now += ms
        seconds, rest = divmod(self.now, 1000)
        await cast("Awaitable[Any]", self.redis.mset({"queue:clock:s": seconds, "queue:clock:us": rest * 1000 + 999}))

    async def ask(self, ticket: str) -> None:
        first, deadline = self.tickets[ticket]
        left = max(deadline - self.now, 0)
        for _ in range(self.dice.choice([1, 2])):  # an answer may be lost
            expected = enter(self.models[first:], self.now, ticket, left)
            said = await self.gate.enter(tuple(self.guards[first:]), ticket, left / 1000)
            number = self.guards[first:].index(said.guard) + 1 if said.guard else 0
            assert (said.outcome, round(said.seconds * 1000), number) == expected
        if expected[0] == "go":
            if ticket not in self.going:
                self.begun.append((first, self.now))
                self.going[ticket] = self.now
            assert self.now < deadline
        elif expected[0] in {"open", "late"}:
            del self.tickets[ticket]
            if ticket in self.going:
                self.begun.remove((first, self.going.pop(ticket)))

    async def leave(self, ticket: str, *, unused: bool) -> None:
        first, _ = self.tickets.pop(ticket)
        begins = self.going.pop(ticket, None)
        verdict = "unused" if unused else self.dice.choice(["ok", "failed", "failed", "neither"])
        if unused and begins is not None:
            self.begun.remove((first, begins))
        expected = [model.leave(self.now, ticket, verdict) for model in self.models[first:]]
        guards = tuple(self.guards[first:])
        became = await self.gate.leave(guards, ticket, verdict, "503")
        assert became == [(guard, state) for guard, state in zip(guards, expected, strict=True) if state]
        if self.dice.random() < 0.5:
            assert await self.gate.leave(guards, ticket, verdict, "503") == []
            for model in self.models[first:]:
                model.leave(self.now, ticket, verdict)

    async def check(self) -> None:
        for worker in "abc":
            told = await cast("Awaitable[list[bytes]]", self.redis.lrange(call_keys.told(worker), 0, -1))
            assert [ticket.decode() for ticket in told] == [one for one in self.told if one.startswith(worker)]
        for place, (guard, model) in enumerate(zip(self.guards, self.models, strict=True)):
            _, *names = call_keys.guard(guard.id)
            del names[2]  # what began is compared below
            for name, expected in zip(names, (model.permits, model.line, model.planned), strict=True):
                found = await self.redis.zrange(name, 0, -1, withscores=True)
                assert {ticket.decode(): int(score) for ticket, score in found} == expected
            mine = [ticket for ticket in self.going if ticket in self.tickets and self.tickets[ticket][0] <= place]
            alive = [ticket for ticket in mine if self.tickets[ticket][1] > self.now and ticket in model.permits]
            assert not model.concurrency or len(alive) <= model.concurrency
            count, per = model.rate
            begun = sorted(when for first, when in self.begun if first <= place)
            per -= ON_TIME  # who comes so much after its moment has begun in it
            assert not count or all(later - sooner >= per for sooner, later in zip(begun, begun[count:], strict=False))
        if self.dice.random() < 0.05:
            await assert_all_expire(self.redis)


@pytest.mark.parametrize("walks", [14, pytest.param(120, marks=[pytest.mark.proof, pytest.mark.timeout(900)])])
def test_every_walk_through_the_guards_agrees_with_the_model(valkey_server: str, walks: int) -> None:
    async def walk_all() -> None:
        async with connect(valkey_server) as redis:
            for seed in range(walks):
                await redis.flushall()
                await Walk(redis, seed).walk()

    asyncio.run(walk_all())


@pytest.mark.parametrize("name", gate.SCRIPTS)
def test_a_script_of_the_gate_says_its_keys_and_arguments(name: str, valkey_server: str) -> None:
    text = Gate(connect(valkey_server))._scripts[name].text
    assert "-- include:" not in text
    for heading in (f"-- {name.upper()}: ", "-- KEYS  ", "-- ARGV  ", "Returns "):
        assert heading in text
