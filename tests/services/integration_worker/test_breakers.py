"""Breakers of hosts and integrations, shared by workers: who waits ends at once, and one probe goes through."""

import asyncio
from typing import Any, cast

import pytest
from prometheus_client import REGISTRY

from services.integration_worker.guard_gauges import guard_gauges
from shared.protection.figures import read_guards
from shared.store import call_keys
from tests.services.integration_worker.calling import Waiting, responder, until, words
from tests.services.integration_worker.limits import (
    BAD,
    OK,
    ONCE,
    fails_when,
    holds,
    maker,
    outcomes,
)
from tests.services.integration_worker.misbehaving import Server
from tests.services.integration_worker.test_worker import ended, working


async def test_an_open_breaker_ends_calls_at_once_and_lets_one_probe_through(waiting: Waiting, server: Server) -> None:
    server.answers = [BAD]
    breaker = ONCE + "breaker = { failures = 2 }\n"
    await waiting.publish(responder("It", server.url), manifest=breaker)
    assert [(await waiting.made("It")).status for _ in range(2)] == [503, 503]
    outcome = await waiting.made("It")
    assert (outcome.failure, words(outcome), server.seen.count) == ("breaker_open", ["breaker_open"], 2)
    assert "Bot: It" in outcome.failure_detail
    guard = call_keys.guard("integration:bot:It")[0]
    server.answers = [server.hang, OK]
    await cast("Any", waiting.redis.hincrby(guard, "since", -30_000))
    async with maker(waiting) as made:
        probing = asyncio.create_task(made.call(probe := await waiting.call("It")))
        await until(server.called(3), probing)
        assert (await waiting.made("It")).failure == "breaker_open"
        server.released.set()
        await probing
    [probed] = await outcomes(waiting, [probe])
    assert probed.body == "late"
    assert await cast("Any", waiting.redis.hget(guard, "state")) == b"closed"
    assert (await waiting.made("It")).status == 200


async def test_a_breaker_opens_for_all_workers_and_their_numbers_and_the_command_say_so(
    waiting: Waiting, server: Server, valkey_server: str
) -> None:
    server.answers = [BAD]
    limits = ONCE + "concurrency = 1\nbreaker = { failures = 2 }\n"
    await waiting.publish(responder("It", server.url), manifest=limits)

    def counted(metric: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(metric, {"guard": "integration", **labels}) or 0

    opened = counted("botlane_breaker_changes_total", state="open")
    held_back = counted("botlane_calls_held_back_total", why="breaker_open")
    calls = [await waiting.call("It") for _ in range(12)]
    async with working(valkey_server), working(valkey_server), working(valkey_server):
        found = [await ended(waiting, call_id) for call_id in calls]
        assert (await ended(waiting, await waiting.call("It"))).failure == "breaker_open"
    assert sorted(str(outcome.failure or outcome.status) for outcome in found) == ["503"] * 2 + ["breaker_open"] * 10
    assert server.seen.count == 2
    assert counted("botlane_breaker_changes_total", state="open") == opened + 1
    assert counted("botlane_calls_held_back_total", why="breaker_open") == held_back + 11
    await guard_gauges(waiting.redis).refresh()
    assert counted("botlane_breaker_state", name="Bot: It") == 1
    [guard] = await read_guards(waiting.redis)
    assert guard.breaker is not None
    assert (guard.breaker.state, guard.last_failure) == ("open", "503")


async def test_a_call_whose_breaker_opens_between_its_attempts_ends_with_the_answer_it_had(
    waiting: Waiting, server: Server
) -> None:
    server.answers = [BAD]
    await waiting.publish(responder("It", server.url), manifest="breaker = { failures = 2 }\n")
    outcome = await waiting.made("It")
    assert (outcome.status, words(outcome), server.seen.count) == (503, ["503", "503", "breaker_open"], 2)


async def test_who_waits_for_a_place_ends_at_once_when_the_breaker_opens(waiting: Waiting, server: Server) -> None:
    line = call_keys.guard("integration:bot:It")[2]
    server.answers = [fails_when(holds(waiting, line, 3))]
    limits = "concurrency = 1\nbreaker = { failures = 1 }\n" + ONCE
    await waiting.publish(responder("It", server.url), manifest=limits)
    calls = [await waiting.call("It") for _ in range(4)]
    async with maker(waiting) as made:
        await asyncio.gather(*map(made.call, calls))
    found = sorted(str(outcome.failure or outcome.status) for outcome in await outcomes(waiting, calls))
    assert (found, server.seen.count) == (["503"] + ["breaker_open"] * 3, 1)


@pytest.mark.parametrize("status", [404, 429, 400])
async def test_answers_that_say_nothing_against_the_api_do_not_open_it(
    waiting: Waiting, server: Server, status: int
) -> None:
    server.answers = [(status, {}, b"no")]
    await waiting.publish(responder("It", server.url), manifest=ONCE + "breaker = { failures = 1 }\n")
    assert [(await waiting.made("It")).status for _ in range(3)] == [status] * 3


async def test_who_waits_for_the_rate_ends_at_once_too_when_the_breaker_opens(waiting: Waiting, server: Server) -> None:
    starts, planned = call_keys.guard("integration:bot:It")[3:]
    server.answers = [fails_when(holds(waiting, planned))]
    limits = 'rate = "2/m"\nbreaker = { failures = 1 }\n' + ONCE
    await waiting.publish(responder("It", server.url), manifest=limits)
    seconds, _ = await cast("Any", waiting.redis.time())
    await waiting.redis.zadd(starts, {"earlier:1": seconds * 1000 - 45_000})  # the next but one may begin in 15 s
    calls = [await waiting.call("It") for _ in range(2)]
    async with maker(waiting) as made:
        await asyncio.gather(*map(made.call, calls))
    found = sorted(str(outcome.failure or outcome.status) for outcome in await outcomes(waiting, calls))
    assert (found, server.seen.count) == (["503", "breaker_open"], 1)
