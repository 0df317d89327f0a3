"""Limits of hosts that calls come to on the way: where redirects lead, and where tokens come from."""

import asyncio
from typing import Any, cast

import pytest
from aiohttp import web

from services.integration_worker.protecting import UNSAID, Protector
from services.integration_worker.visiting import Visits
from shared.bot.integration import Policy
from shared.bot.protection import Protection
from shared.integration.client import Answer
from shared.integration.policy import Ending
from shared.protection.guards import Guard
from shared.store import call_keys
from tests.services.integration_worker.calling import Waiting, responder, until, words
from tests.services.integration_worker.limits import Crowd, holds, maker, outcomes
from tests.services.integration_worker.misbehaving import Server
from tests.services.integration_worker.token_end_point import DENIED, issuing, published, sent

OK = (200, {"Content-Type": "application/json"}, b'{"ok":1}')
ONCE = "retries = 0\n"


def host_of(server: Server) -> str:
    return server.url.removeprefix("http://")


def limits(server: Server, said: str) -> str:
    return f'[hosts."{host_of(server)}"]\n{said}\n'


def guard_of(server: Server) -> list[str]:
    return call_keys.guard(f"host:{host_of(server)}")


def to(other: Server) -> tuple[int, dict[str, str], bytes]:
    return (307, {"Location": f"{other.url}/there"}, b"")


async def test_a_host_that_redirects_lead_to_keeps_its_limit(
    waiting: Waiting, server: Server, other_server: Server
) -> None:
    server.answers, other_server.answers = [to(other_server)], [crowd := Crowd(2)]
    await waiting.publish(responder("It", server.url), more=limits(other_server, "concurrency = 2"))
    calls = [await waiting.call("It") for _ in range(8)]
    async with maker(waiting) as made:
        await asyncio.gather(*map(made.call, calls))
    found = await outcomes(waiting, calls)
    assert {(outcome.status, outcome.attempts[0].sent) for outcome in found} == {(200, 2)}
    assert (crowd.count, crowd.most) == (8, 2)
    assert any(outcome.attempts[0].waited for outcome in found)
    assert await waiting.redis.zcard(guard_of(other_server)[1]) == 0


async def test_a_host_whose_redirect_was_followed_has_its_place_free_again(
    waiting: Waiting, server: Server, other_server: Server
) -> None:
    server.answers, other_server.answers = [to(other_server)], [other_server.hang]
    both = limits(server, "concurrency = 1\nbreaker = {}") + limits(other_server, "concurrency = 5")
    await waiting.publish(responder("It", server.url), more=both)
    calls = [await waiting.call("It") for _ in range(2)]
    async with maker(waiting) as made:
        going = asyncio.create_task(made.call(calls[0]))
        await until(other_server.called(1), going)
        going_too = asyncio.create_task(made.call(calls[1]))
        await until(other_server.called(2), going_too)
        here, there = guard_of(server), guard_of(other_server)
        assert [await waiting.redis.zcard(key) for key in (here[1], there[1])] == [0, 2]
        other_server.released.set()
        await asyncio.gather(going, going_too)
    assert await cast("Any", waiting.redis.hget(here[0], "ok")) == b"2"
    assert await waiting.redis.zcard(there[1]) == 0


async def test_a_redirect_to_a_host_with_an_open_breaker_ends_the_call_and_is_not_held_against_who_sent_it(
    waiting: Waiting, server: Server, other_server: Server
) -> None:
    server.answers, other_server.answers = [to(other_server)], [(503, {}, b"no")]
    both = limits(server, "breaker = { failures = 1 }") + limits(other_server, "breaker = { failures = 1 }")
    await waiting.publish(responder("It", server.url), manifest=ONCE, more=both)
    assert (await waiting.made("It")).status == 503
    outcome = await waiting.made("It")
    assert (outcome.failure, words(outcome), outcome.attempts[0].sent) == ("breaker_open", ["breaker_open"], 1)
    assert host_of(other_server) in outcome.failure_detail
    assert (server.seen.count, other_server.seen.count) == (2, 1)
    assert await cast("Any", waiting.redis.hget(guard_of(server)[0], "ok")) == b"2"


async def test_a_redirect_to_a_host_whose_rate_has_no_place_ends_the_call_as_limited(
    waiting: Waiting, server: Server, other_server: Server
) -> None:
    server.answers, other_server.answers = [to(other_server)], [OK]
    await waiting.publish(responder("It", server.url), more=limits(other_server, 'rate = "1/h"'))
    assert (await waiting.made("It")).status == 200
    outcome = await waiting.made("It")
    assert (outcome.failure, words(outcome), outcome.attempts[0].sent) == ("limited", ["limited"], 1)
    assert (server.seen.count, other_server.seen.count) == (2, 1)


async def test_who_waits_at_a_redirect_until_its_time_is_over_is_limited(waiting: Waiting) -> None:
    there = Guard("host", "host:there", "there", Protection(concurrency=1))
    protector, loop = Protector(waiting.redis), asyncio.get_running_loop()
    keys = call_keys.guard(there.id)

    async def make(visits: Visits) -> Answer:
        try:
            async with asyncio.timeout(0.05):  # as the client does
                await visits.move(there, loop.time() + 20)
        except TimeoutError:
            return Answer(Ending(failure="timeout"), sent=1)
        return Answer(Ending(200), sent=2)

    async def held(visits: Visits) -> Answer:
        await visits.move(there, loop.time() + 20)
        ended = await protector.attempt((), Policy(), loop.time() + 20, make, UNSAID)
        assert (ended[0].ending.failure, ended[0].sent) == ("limited", 1)
        assert ended[1] > 0
        return Answer(Ending(200), sent=2)

    answer, _ = await protector.attempt((), Policy(), loop.time() + 20, held, UNSAID)
    await protector.close()
    assert answer.ending.status == 200
    assert [await waiting.redis.zcard(key) for key in keys[1:]] == [0, 0, 0, 0]


async def test_redirects_within_one_host_take_one_place(waiting: Waiting, server: Server) -> None:
    server.answers = [(302, {"Location": "/on"}, b""), (302, {"Location": "/and/on"}, b""), OK]
    await waiting.publish(responder("It", server.url), more=limits(server, 'concurrency = 1\nrate = "1/h"'))
    assert ((await waiting.made("It")).status, server.seen.count) == (200, 3)


async def test_a_token_end_point_keeps_the_limits_of_its_host(
    waiting: Waiting, server: Server, other_server: Server
) -> None:
    server.answers, other_server.answers = [OK], [issuing()]
    await published(waiting, server, other_server, limits(other_server, 'rate = "1/h"'))
    assert (await waiting.made("It")).status == 200
    await waiting.redis.delete(*await waiting.redis.keys("token:*"))
    outcome = await waiting.made("It")
    assert (outcome.failure, words(outcome), outcome.attempts[0].sent) == ("unreachable", ["unreachable"], 0)
    assert "rate has no place" in outcome.failure_detail
    assert (sent(server), other_server.seen.count) == (["Bearer token-1"], 1)


async def test_a_call_that_may_not_be_made_again_with_a_new_token_ends_with_the_answer_it_had(
    waiting: Waiting, server: Server, other_server: Server
) -> None:
    server.answers, other_server.answers = [DENIED, OK], [issuing()]
    await published(waiting, server, other_server, limits(server, 'rate = "1/h"'))
    outcome = await waiting.made("It")
    assert (outcome.status, words(outcome), server.seen.count) == (401, ["401", "limited"], 1)


async def test_a_token_is_waited_for_within_the_time_of_the_call(
    waiting: Waiting, server: Server, other_server: Server
) -> None:
    server.answers = [OK]
    held = asyncio.Event()
    issue = issuing()

    async def slow(request: web.Request) -> web.Response:
        await held.wait()
        return await issue(request)

    other_server.answers = [slow]
    await published(waiting, server, other_server, limits(other_server, "concurrency = 1"))
    permits, line = guard_of(other_server)[1:3]
    seconds, _ = await cast("Any", waiting.redis.time())
    await waiting.redis.zadd(permits, {"busy:1": seconds * 1000 + 60_000})
    await waiting.redis.set(call_keys.living("busy"), seconds * 1000 + 60_000)
    async with maker(waiting) as made:
        going = asyncio.create_task(made.call(call := await waiting.call("It")))
        await until(holds(waiting, line), going)
        short = await waiting.made("It", budget_ms=200)
        assert (short.failure, "in time" in short.failure_detail) == ("unreachable", True)
        assert other_server.seen.count == 0
        [waits] = await waiting.redis.zrange(line, 0, -1)
        await waiting.redis.delete(permits)
        await cast("Any", waiting.redis.rpush(call_keys.told(waits.decode().partition(":")[0]), waits))
        held.set()
        await going
    [outcome] = await outcomes(waiting, [call])
    assert (outcome.status, other_server.seen.count) == (200, 1)


@pytest.mark.parametrize("status", [503, 401])
async def test_a_token_end_point_that_fails_opens_the_breaker_of_its_host_and_one_that_refuses_does_not(
    waiting: Waiting, server: Server, other_server: Server, status: int
) -> None:
    server.answers, other_server.answers = [OK], [(status, {}, b"no")]
    await published(waiting, server, other_server, limits(other_server, "breaker = { failures = 1 }"))
    assert (await waiting.made("It")).attempts[0].sent == 0
    state = await cast("Any", waiting.redis.hget(guard_of(other_server)[0], "state"))
    assert state == (b"open" if status == 503 else None)
