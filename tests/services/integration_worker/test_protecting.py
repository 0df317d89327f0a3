"""Limits of hosts and integrations, shared by workers: never more than was said, and a clear end for who cannot wait."""

import asyncio
import time
from typing import Any, cast

from prometheus_client import REGISTRY

from services.integration_worker.guard_gauges import guard_gauges
from services.integration_worker.protecting import UNSAID, Protector
from services.integration_worker.visiting import Visits
from shared.bot.integration import Policy
from shared.bot.protection import Protection, Rate
from shared.integration.client import Answer
from shared.integration.policy import Ending
from shared.protection.guards import Guard
from shared.store import call_keys, keys
from tests.services.integration_worker.calling import Waiting, responder, until, words
from tests.services.integration_worker.limits import (
    NEVER,
    OK,
    Crowd,
    holds,
    keys_of_guards,
    maker,
    one_behind_another,
    outcomes,
)
from tests.services.integration_worker.misbehaving import Server
from tests.services.integration_worker.test_worker import ended, working


async def test_never_more_calls_at_once_than_the_integration_allows(waiting: Waiting, server: Server) -> None:
    server.answers = [crowd := Crowd(3)]
    await waiting.publish(responder("It", server.url), manifest="concurrency = 3\n")
    calls = [await waiting.call("It") for _ in range(12)]
    async with maker(waiting) as made:
        await asyncio.gather(*map(made.call, calls))
    assert {outcome.status for outcome in await outcomes(waiting, calls)} == {200}
    assert (crowd.count, crowd.most) == (12, 3)


async def test_integrations_of_one_host_share_its_limit_and_others_do_not(
    waiting: Waiting, server: Server, other_server: Server
) -> None:
    server.answers, other_server.answers = [crowd := Crowd(2)], [other := Crowd(4)]
    host = server.url.removeprefix("http://")
    await waiting.publish(
        responder("A", server.url), responder("B", server.url), responder("C", other_server.url),
        more=f'[hosts."{host}"]\nconcurrency = 2\n',
    )  # fmt: skip
    calls = [await waiting.call(name) for name in "ABC" * 4]
    async with maker(waiting) as made:
        await asyncio.gather(*map(made.call, calls))
    assert (crowd.count, crowd.most) == (8, 2)
    assert other.most == 4


async def test_two_workers_share_one_limit_and_tell_each_other(
    waiting: Waiting, server: Server, valkey_server: str
) -> None:
    server.answers = [crowd := Crowd(4)]
    limits = 'concurrency = 4\nrate = "300/s"\n'
    await waiting.publish(responder("It", server.url), manifest=limits)
    calls = [await waiting.call("It") for _ in range(40)]
    async with working(valkey_server), working(valkey_server):
        found = [await ended(waiting, call_id) for call_id in calls]
    assert {outcome.status for outcome in found} == {200}
    assert (crowd.count, crowd.most) == (40, 4)
    assert any(outcome.attempts[0].waited for outcome in found)


async def test_two_workers_share_one_rate(waiting: Waiting, server: Server, valkey_server: str) -> None:
    server.answers = [OK]
    await waiting.publish(responder("It", server.url), manifest='rate = "5/s"\n')
    calls = [await waiting.call("It") for _ in range(6)]
    planned: dict[bytes, float] = {}

    async def watch() -> None:
        while True:
            planned.update(await waiting.redis.zrange(call_keys.guard("integration:bot:It")[3], 0, -1, withscores=True))
            await asyncio.sleep(0.005)

    watching = asyncio.create_task(watch())
    async with working(valkey_server), working(valkey_server):
        found = [await ended(waiting, call_id) for call_id in calls]
    watching.cancel()
    assert ({outcome.status for outcome in found}, server.seen.count) == ({200}, 6)
    begun = sorted(planned.values())
    assert len(begun) > 5
    assert all(later - sooner >= 1000 for sooner, later in zip(begun, begun[5:], strict=False))


async def test_who_waits_for_the_rate_holds_no_place_of_those_at_once(waiting: Waiting, server: Server) -> None:
    server.answers, host = [OK], server.url.removeprefix("http://")
    await waiting.publish(responder("It", server.url), more=f'[hosts."{host}"]\nconcurrency = 1\n')
    slow = Guard("integration", "integration:slow", "slow", Protection(rate=Rate(1, 15_000)))
    shared = Guard("host", f"host:{host}", host, Protection(concurrency=1))
    protector, begun = Protector(waiting.redis), list[str]()

    async def one() -> None:
        async def make(_: Visits) -> Answer:
            begun.append("slow")
            return Answer(Ending(status=200))

        ends_at = asyncio.get_running_loop().time() + 20
        await protector.attempt((slow, shared), Policy(), ends_at, make, UNSAID)

    await one()
    later = asyncio.create_task(one())
    await until(holds(waiting, call_keys.guard(slow.id)[4]), later)
    assert (await waiting.made("It")).status == 200
    assert begun == ["slow"]
    later.cancel()
    await asyncio.wait([later])
    await protector.close()
    assert [await waiting.redis.zcard(key) for key in call_keys.guard(slow.id)[1:]] == [0, 0, 1, 0]


async def test_a_call_that_gets_no_place_in_its_time_is_limited(waiting: Waiting, server: Server) -> None:
    server.answers = [server.hang]
    await waiting.publish(responder("It", server.url), manifest="concurrency = 1\n")
    first, second = await waiting.call("It"), await waiting.call("It", budget_ms=700)
    async with maker(waiting) as made:
        holding = asyncio.create_task(made.call(first))
        await until(server.called(1), holding)
        await made.call(second)
        server.released.set()
        await holding
    [outcome] = await outcomes(waiting, [second])
    assert (outcome.failure, words(outcome), server.seen.count) == ("limited", ["limited"], 1)
    assert "Bot: It" in outcome.failure_detail
    assert outcome.attempts[0].sent == 0
    assert outcome.attempts[0].waited > 0


async def test_a_rate_that_has_no_place_in_time_is_said_at_once(waiting: Waiting, server: Server) -> None:
    server.answers = [OK]
    await waiting.publish(responder("It", server.url), manifest='rate = "1/h"\n')
    assert (await waiting.made("It")).status == 200
    outcome = await waiting.made("It")
    assert (outcome.failure, words(outcome), server.seen.count) == ("limited", ["limited"], 1)
    assert "rate" in outcome.failure_detail


async def test_a_place_comes_free_by_itself_when_the_time_of_its_call_is_over(waiting: Waiting, server: Server) -> None:
    server.answers = [OK]
    await waiting.publish(responder("It", server.url), manifest="concurrency = 1\n")
    permits = call_keys.guard("integration:bot:It")[1]
    seconds, _ = await cast("Any", waiting.redis.time())
    await waiting.redis.zadd(permits, {"dead:1": seconds * 1000 + 300})
    assert (await waiting.made("It")).status == 200


async def test_the_places_of_a_worker_that_died_come_free_long_before(waiting: Waiting, server: Server) -> None:
    server.answers = [OK]
    await waiting.publish(responder("It", server.url), manifest="concurrency = 1\n")
    permits = call_keys.guard("integration:bot:It")[1]
    seconds, _ = await cast("Any", waiting.redis.time())
    await waiting.redis.zadd(permits, {"dead:1": seconds * 1000 + 300_000})
    await waiting.redis.set(call_keys.living("dead"), seconds * 1000 - 10_000)
    assert (await waiting.made("It")).status == 200


async def test_a_call_that_is_stopped_while_it_waits_leaves_its_place_in_the_line(
    waiting: Waiting, server: Server
) -> None:
    permits, line = call_keys.guard("integration:bot:It")[1:3]
    async with one_behind_another(waiting, server) as (_, waits, holding):
        for task in (waits, holding):
            task.cancel()
            await asyncio.wait([task])
    assert (await waiting.redis.zcard(line), await waiting.redis.zcard(permits)) == (0, 0)


async def test_a_post_that_waited_in_a_worker_that_died_is_made_by_another(waiting: Waiting, server: Server) -> None:
    server.answers = [server.hang, OK]
    await waiting.publish(responder("It", server.url, method="POST"), manifest="concurrency = 1\n")
    first, second = await waiting.call("It"), await waiting.call("It")
    async with maker(waiting) as made:
        holding = asyncio.create_task(made.call(first))
        await until(server.called(1), holding)
        dying = asyncio.create_task(made.call(second))

        async def put_back() -> bool:
            stands = await waiting.redis.zcard(call_keys.guard("integration:bot:It")[2])
            return bool(stands and not await cast("Any", waiting.redis.hexists(keys.call(second), "open")))

        await until(put_back, dying)
        dying.cancel()
        await asyncio.wait([dying])
        server.released.set()
        await holding
    await waiting.make(second)
    [outcome] = await outcomes(waiting, [second])
    assert (outcome.status, words(outcome), server.seen.count) == (200, ["200"], 2)


async def test_a_call_that_nobody_awaits_any_more_is_not_made_after_its_wait(waiting: Waiting, server: Server) -> None:
    permits = call_keys.guard("integration:bot:It")[1]
    async with one_behind_another(waiting, server) as (second, waits, holding):
        assert await waiting.mailbox.result(second, b'{"type": "outcome", "call_id": "elsewhere"}')
        server.released.set()
        await asyncio.gather(holding, waits)
    assert server.seen.count == 1
    assert await waiting.redis.zcard(permits) == 0


async def test_calls_without_limits_ask_nothing(waiting: Waiting, server: Server) -> None:
    server.answers = [OK]
    host = '[hosts."elsewhere.example.com"]\nconcurrency = 1\n'
    await waiting.publish(responder("It", server.url), responder("Other", server.url), more=host)
    assert (await waiting.made("It")).attempts[0].waited == 0
    assert await keys_of_guards(waiting.redis) == set()


async def test_the_numbers_of_a_limit_are_those_of_all_workers(waiting: Waiting, server: Server) -> None:
    server.answers = [server.hang]
    await waiting.publish(responder("It", server.url), manifest="concurrency = 1\n")
    calls = [await waiting.call("It") for _ in range(2)]
    async with maker(waiting) as one, maker(waiting) as other:
        going = asyncio.create_task(one.call(calls[0]))
        await until(server.called(1), going)
        waits = asyncio.create_task(other.call(calls[1]))
        await until(holds(waiting, call_keys.guard("integration:bot:It")[2]), waits)
        gauges = guard_gauges(waiting.redis)
        await gauges.refresh()
        label = {"guard": "integration", "name": "Bot: It"}
        names = ("botlane_guard_in_flight", "botlane_guard_waiting", "botlane_breaker_state")
        assert [REGISTRY.get_sample_value(name, label) for name in names] == [1, 1, None]
        assert REGISTRY.get_sample_value("botlane_calls_waiting") == 1
        released = time.time() * 1000 // 1
        server.released.set()
        await asyncio.gather(going, waits)
    [waited] = (await outcomes(waiting, calls[1:]))[0].attempts
    assert waited.at >= released  # on a time line it begins when it was made
    assert waited.waited > 0


async def test_a_call_whose_place_comes_when_its_time_is_over_is_limited(waiting: Waiting, server: Server) -> None:
    permits = call_keys.guard("integration:bot:It")[1]
    async with one_behind_another(waiting, server) as (second, waits, holding):
        await waiting.redis.delete(keys.call(second))  # for START it is late then
        server.released.set()
        await asyncio.gather(holding, waits)
    [outcome] = await outcomes(waiting, [second])
    assert (outcome.failure, words(outcome), server.seen.count) == ("limited", ["limited"], 1)
    assert outcome.attempts[0].waited > 0
    assert await waiting.redis.zcard(permits) == 0


async def test_an_attempt_that_is_too_late_already_is_not_held_up(waiting: Waiting) -> None:
    protector = Protector(waiting.redis)
    guard = Guard("host", "host:it", "it", Protection(concurrency=1))

    async def make(_: Visits) -> Answer:
        return Answer(Ending(failure="timeout"))

    answer, _ = await protector.attempt((guard,), Policy(), asyncio.get_running_loop().time(), make, NEVER)
    assert answer == Answer(Ending(failure="timeout"))
    await protector.close()
