"""Tokens of OAuth 2 on real calls: fetched once however many want one, kept sealed, renewed once after a 401."""

import asyncio
import base64
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from aiohttp import web
from arq.connections import ArqRedis

from services.integration_worker.tokens import Tokens
from shared.credentials.issued import Issued
from shared.credentials.token_store import PURPOSE, Failed, Kept, RedisTokens
from shared.integration.client import OutboundClient
from shared.privacy.sealing import Sealer
from shared.store import call_keys
from tests.services.integration_worker.calling import Waiting, words
from tests.services.integration_worker.misbehaving import Server
from tests.services.integration_worker.token_end_point import CLIENT, DENIED, HUSH, OK, issuing, published, sent


async def stored(redis: ArqRedis) -> dict[bytes, bytes]:
    return {key: await redis.dump(key) for key in await redis.keys("*")}


async def test_a_token_is_fetched_and_serves_many_calls(waiting: Waiting, server: Server, other_server: Server) -> None:
    server.answers, other_server.answers = [OK], [issuing()]
    await published(waiting, server, other_server, 'scope = "read write"\nparameters = { audience = "crm" }')
    assert [(await waiting.made("It")).status for _ in range(3)] == [200, 200, 200]
    assert sent(server) == ["Bearer token-1"] * 3
    ((method, path, headers, body),) = other_server.seen.requests
    assert (method, path) == ("POST", "/token")
    assert parse_qs(body.decode()) == {
        "grant_type": ["client_credentials"],
        "scope": ["read write"],
        "audience": ["crm"],
    }
    assert headers["Authorization"] == "Basic " + base64.b64encode(f"bot:{HUSH}".encode()).decode()


async def test_a_client_may_say_who_it_is_in_the_body(waiting: Waiting, server: Server, other_server: Server) -> None:
    server.answers, other_server.answers = [OK], [issuing()]
    await published(waiting, server, other_server, 'client_auth = "post"')
    assert (await waiting.made("It")).status == 200
    ((_, _, headers, body),) = other_server.seen.requests
    assert parse_qs(body.decode())["client_secret"] == [HUSH]
    assert "Authorization" not in headers


async def test_however_many_workers_need_a_token_it_is_fetched_once(
    waiting: Waiting, server: Server, other_server: Server
) -> None:
    server.answers, other_server.answers = [OK], [issuing()]
    await published(waiting, server, other_server)
    calls = [await waiting.call("It") for _ in range(40)]
    async with OutboundClient() as client:
        workers = [waiting.maker(client) for _ in range(4)]
        await asyncio.gather(*(workers[at % 4].call(call_id) for at, call_id in enumerate(calls)))
    assert sent(server) == ["Bearer token-1"] * 40
    assert other_server.seen.count == 1


async def test_a_token_is_not_used_to_its_very_end(
    waiting: Waiting, server: Server, other_server: Server, redis: ArqRedis
) -> None:
    server.answers = [OK]
    for given, most in (
        (600, 595_000),
        ("600", 595_000),
        (10, 9_000),
        (None, 3_595_000),
        (True, 3_595_000),
        (1e99, 2_591_995_000),
    ):
        await redis.flushall()
        other_server.answers = [issuing(expires_in=given)]
        await published(waiting, server, other_server)
        assert (await waiting.made("It")).status == 200
        (key,) = await redis.keys("token:*")
        assert most - 60_000 < await redis.pttl(key) <= most


@pytest.mark.parametrize(("left_ms", "fetched"), [(54_000, 2), (120_000, 1)])
async def test_in_its_last_minute_the_next_token_is_fetched_once_beside_the_calls(
    waiting: Waiting, server: Server, other_server: Server, left_ms: int, fetched: int
) -> None:
    server.answers, other_server.answers = [OK], [issuing()]
    await published(waiting, server, other_server)
    async with OutboundClient() as client:
        workers = [waiting.maker(client) for _ in range(2)]
        await workers[0].call(await waiting.call("It"))
        (key,) = await waiting.redis.keys("token:*")
        assert await waiting.redis.pexpire(key, left_ms)
        calls = [await waiting.call("It") for _ in range(6)]
        await asyncio.gather(*(workers[at % 2].call(call_id) for at, call_id in enumerate(calls)))
        assert sent(server) == ["Bearer token-1"] * 7
        while fetched == 2 and await waiting.redis.pttl(key) < 60_000:
            await asyncio.sleep(0.005)
        await workers[1].call(await waiting.call("It"))
        for worker in workers:
            await worker.close()
    assert sent(server)[7:] == [f"Bearer token-{fetched}"]
    assert other_server.seen.count == fetched


async def test_a_token_goes_on_to_its_end_while_no_other_can_be_had(
    waiting: Waiting, server: Server, other_server: Server
) -> None:
    server.answers, other_server.answers = [OK], [issuing(), (503, {}, b"no")]
    await published(waiting, server, other_server)
    async with OutboundClient() as client:
        worker = waiting.maker(client)
        await worker.call(await waiting.call("It"))
        (key,) = await waiting.redis.keys("token:*")
        await waiting.redis.pexpire(key, 30_000)
        for _ in range(3):
            await worker.call(await waiting.call("It"))
        while not await waiting.redis.keys("token-failed:*") and other_server.seen.count < 2:
            await asyncio.sleep(0.005)
        await worker.call(await waiting.call("It"))
        await worker.close()
    assert sent(server) == ["Bearer token-1"] * 5


async def test_a_refused_token_is_renewed_once_for_all_and_that_is_no_retry(
    waiting: Waiting, server: Server, other_server: Server
) -> None:
    everybody = asyncio.Barrier(10)

    async def only_the_second(request: web.Request) -> web.Response:
        if request.headers["Authorization"] == "Bearer token-2":
            return web.Response(text="{}")
        await everybody.wait()
        return web.Response(status=401)

    server.answers, other_server.answers = [OK], [issuing()]
    await published(waiting, server, other_server)
    await waiting.made("It")
    server.answers = [only_the_second]
    calls = [await waiting.call("It") for _ in range(10)]
    async with OutboundClient() as client:
        workers = [waiting.maker(client) for _ in range(2)]
        await asyncio.gather(*(workers[at % 2].call(call_id) for at, call_id in enumerate(calls)))
    for call_id in calls:
        outcome = await waiting.outcome(call_id)
        assert outcome is not None
        assert (outcome.status, words(outcome)) == (200, ["401", "200"])
        assert [attempt.renewed for attempt in outcome.attempts] == [False, True]
    assert (other_server.seen.count, server.seen.count) == (2, 1 + 20)


async def test_a_refused_token_is_asked_for_again_with_what_a_command_prints_then(
    waiting: Waiting, server: Server, other_server: Server, tmp_path: Path
) -> None:
    script, runs = tmp_path / "print-secret", tmp_path / "runs"
    script.write_text(f"#!/bin/sh\necho >> {runs}\necho secret-$(wc -l < {runs})\n")
    script.chmod(0o700)
    server.answers, other_server.answers = [OK, DENIED, OK], [issuing()]
    waiting.environment["PATH"] = "/usr/bin:/bin"
    credential = CLIENT.replace('{{ env = "CRM_SECRET" }}', f'{{{{ command = "{script}" }}}}')
    await published(waiting, server, other_server, credential=credential)
    assert [(await waiting.made("It")).status for _ in range(2)] == [200, 200]
    asked = [headers["Authorization"].partition(" ")[2] for _, _, headers, _ in other_server.seen.requests]
    assert [base64.b64decode(one).decode() for one in asked] == ["bot:secret-1", "bot:secret-2"]


async def test_an_api_that_refuses_every_token_does_not_storm_the_token_end_point(
    waiting: Waiting, server: Server, other_server: Server
) -> None:
    server.answers, other_server.answers = [DENIED], [issuing()]
    await published(waiting, server, other_server)
    outcomes = [await waiting.made("It") for _ in range(3)]
    assert [(outcome.status, words(outcome)) for outcome in outcomes] == [
        (401, ["401", "401"]),
        (401, ["401"]),
        (401, ["401"]),
    ]
    assert other_server.seen.count == 2


async def test_tokens_and_secrets_lie_nowhere_open(
    waiting: Waiting, server: Server, other_server: Server, redis: ArqRedis
) -> None:
    server.answers, other_server.answers = [OK], [issuing(access_token="canary-token", refresh_token="canary-refresh")]
    await published(waiting, server, other_server)
    await waiting.made("It")
    everything = str(await stored(redis))
    assert "token:" in everything
    assert "canary" not in everything


async def test_a_token_sealed_with_a_secret_that_is_gone_is_fetched_again(
    waiting: Waiting, server: Server, other_server: Server, redis: ArqRedis
) -> None:
    server.answers, other_server.answers = [OK], [issuing()]
    await published(waiting, server, other_server)
    await waiting.made("It")
    (key,) = await redis.keys("token:*")
    await redis.set(key, Sealer(("another installation's",), PURPOSE).seal(b"x", key), keepttl=True)
    assert (await waiting.made("It")).status == 200
    assert sent(server) == ["Bearer token-1", "Bearer token-2"]


async def test_a_refresh_token_that_goes_on_is_sealed_anew_when_the_secret_is_replaced(redis: ArqRedis) -> None:
    old, new = "the old secret of an installation", "the new secret of an installation"
    before, between, after = (RedisTokens(redis, Sealer(by, PURPOSE)) for by in ((old,), (new, old), (new,)))
    await Tokens(before).put("crm", Issued("token-1", 600, "refresh-1"))
    await redis.delete(call_keys.token("crm"))  # it has ended
    assert await after.grant("crm") == ""

    async def fetch(grant: str) -> Issued:
        return Issued(f"token for {grant}", 600)  # no refresh token: the old one goes on

    token = await Tokens(between).token("crm", fetch, asyncio.get_running_loop().time() + 10)
    assert token.access_token == "token for refresh-1"
    assert await after.grant("crm") == "refresh-1"


async def test_a_token_end_point_that_hangs_does_not_hold_a_call_beyond_its_budget(
    waiting: Waiting, server: Server, other_server: Server
) -> None:
    server.answers, other_server.answers = [OK], [other_server.hang]
    await published(waiting, server, other_server)
    outcome = await waiting.made("It", budget_ms=200)
    assert (outcome.failure, outcome.failure_detail) == ("unreachable", "credential crm: there was no token in time")
    assert server.seen.count == 0


async def test_who_was_held_up_cannot_put_an_older_token_over_a_newer_one(redis: ArqRedis) -> None:
    store = RedisTokens(redis, Sealer(("a secret for the tests",), PURPOSE))
    assert await store.lock("crm", "slow")
    await redis.delete("token-lock:{crm}")  # its time is over
    assert await store.lock("crm", "quick")
    assert not await store.lock("crm", "third")
    await store.keep("crm", "quick", Kept("newer", "2"), 1000, "newer-refresh")
    await store.keep("crm", "slow", Kept("older", "1"), 1000, "older-refresh")
    await store.keep_failure("crm", "slow", Failed("no", passing=False), 1000)
    found = await store.find("crm")
    assert found.token == Kept("newer", "2")
    assert found.failed is None
    assert await store.grant("crm") == "newer-refresh"


async def test_every_key_of_a_credential_ends(redis: ArqRedis) -> None:
    store = RedisTokens(redis, Sealer(("a secret for the tests",), PURPOSE))
    await store.lock("crm", "me")
    assert 0 < await redis.pttl("token-lock:{crm}") <= 15_000
    await store.keep("crm", "me", Kept("a", "1"), 1000, "refresh")
    await store.lock("crm", "me")
    await store.keep_failure("crm", "me", Failed("no", passing=True), 300)
    ends = {key: await redis.pttl(key) for key in await redis.keys("*")}
    assert sorted(ends) == [b"token-failed:{crm}", b"token-grant:{crm}", b"token:{crm}"]
    assert all(end > 0 for end in ends.values())
