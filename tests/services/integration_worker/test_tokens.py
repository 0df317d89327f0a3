"""Tokens of OAuth 2 on real calls: fetched once however many want one, kept sealed, renewed once after a 401."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiohttp import web
from arq.connections import ArqRedis
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwk, jwt

from shared.credentials.token_store import PURPOSE, Failed, Kept, RedisTokens
from shared.integration.client import OutboundClient
from shared.privacy.sealing import Sealer
from tests.services.integration_worker.calling import Waiting, responder, words
from tests.services.integration_worker.misbehaving import Server, cut, huge, reset

OK = (200, {"Content-Type": "application/json"}, b'{"ok":1}')
DENIED: tuple[int, dict[str, str], bytes] = (401, {}, b"who are you?")
HUSH = "canary-client-secret"
CLIENT = """
[credentials.crm]
type = "oauth2_client_credentials"
token_url = "{url}/token"
client_id = "bot"
client_secret = {{ env = "CRM_SECRET" }}
"""


def issuing(**more: Any) -> Callable[[web.Request], Awaitable[web.Response]]:
    """A token end-point that gives token-1, token-2, … a little later."""
    count = 0

    async def answer(_: web.Request) -> web.Response:
        nonlocal count
        count += 1
        await asyncio.sleep(0.02)
        return web.json_response({"access_token": f"token-{count}", "token_type": "Bearer", "expires_in": 600} | more)

    return answer


async def published(waiting: Waiting, api: Server, tokens: Server, more: str = "", credential: str = CLIENT) -> None:
    waiting.environment["CRM_SECRET"] = HUSH
    manifest = 'credential = "crm"\nretries = 0\n' + credential.format(url=tokens.url) + more + "\n"
    await waiting.publish(responder("It", api.url), manifest=manifest)


def sent(server: Server) -> list[str]:
    return [headers.get("Authorization", "") for _, _, headers, _ in server.seen.requests]


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
        (600, 540_000),
        ("600", 540_000),
        (10, 9_000),
        (None, 3_540_000),
        (True, 3_540_000),
        (1e99, 2_591_940_000),
    ):
        await redis.flushall()
        other_server.answers = [issuing(expires_in=given)]
        await published(waiting, server, other_server)
        assert (await waiting.made("It")).status == 200
        (key,) = await redis.keys("token:*")
        assert most - 60_000 < await redis.pttl(key) <= most


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


async def redirecting(_: web.Request) -> web.Response:
    return web.Response(status=302, headers={"Location": "/elsewhere"})


async def repeating(request: web.Request) -> web.Response:
    """A token end-point that repeats what it was sent."""
    said = {"error": f"{request.headers['Authorization']} {await request.text()} {HUSH}", "error_description": HUSH}
    return web.json_response(said, status=400, headers={"X-Secret": HUSH})


MISBEHAVING: list[tuple[Any, str]] = [
    ((400, {}, b'{"error": "invalid_client"}'), "the token end-point answered invalid_client"),
    ((200, {}, b'{"error": "invalid_grant"}'), "the token end-point answered invalid_grant"),
    (repeating, "the token end-point answered with an error of its own"),
    ((401, {}, b"no"), "the token end-point answered 401"),
    ((200, {}, b"<html>"), "the token end-point gave no access token"),
    ((200, {}, b'["access_token"]'), "the token end-point gave no access token"),
    ((200, {}, b'{"access_token": 7}'), "the token end-point gave no access token"),
    ((200, {}, b'{"access_token": "a\\r\\nX: y"}'), "the token end-point gave no access token"),
    (
        (200, {}, b'{"access_token": "a", "token_type": "mac"}'),
        "the token end-point gave a token that is no bearer token",
    ),
    ((204, {}, b""), "the token end-point gave no access token"),
    (redirecting, "the token end-point answered 302"),
    (huge, "the token end-point: the answer is larger than 65536 bytes"),
]


@pytest.mark.parametrize(
    ("answer", "why"), MISBEHAVING, ids=[why[21:60] + str(at) for at, (_, why) in enumerate(MISBEHAVING)]
)
async def test_a_token_end_point_that_gives_none_fails_the_call_without_a_word_of_its_own(
    waiting: Waiting, server: Server, other_server: Server, answer: Any, why: str
) -> None:
    server.answers, other_server.answers = [OK], [answer]
    await published(waiting, server, other_server)
    outcomes = [await waiting.made("It") for _ in range(2)]
    for outcome in outcomes:
        assert (outcome.failure, outcome.failure_detail) == ("credential", f"credential crm: {why}")
        assert (words(outcome), outcome.attempts[0].sent) == (["credential"], 0)
    assert (server.seen.count, other_server.seen.count) == (0, 1)


@pytest.mark.parametrize("answer", [(503, {}, b""), (429, {}, b""), reset, cut])
async def test_what_passes_is_tried_again_within_the_calls_budget(
    waiting: Waiting, server: Server, other_server: Server, answer: Any
) -> None:
    server.answers, other_server.answers = [OK], [answer, issuing()]
    await published(waiting, server, other_server)
    outcome = await waiting.made("It")
    assert (outcome.failure, words(outcome)) == ("unreachable", ["unreachable"])
    await asyncio.sleep(0.3)  # a failure is shared for that long
    assert (await waiting.made("It")).status == 200


async def test_a_token_end_point_is_checked_as_calls_are(waiting: Waiting, server: Server) -> None:
    server.answers = [OK]
    credential = CLIENT.replace("{url}", "http://169.254.169.254")
    await published(waiting, server, server, credential=credential)
    outcome = await waiting.made("It")
    assert outcome.failure_detail == (
        "credential crm: the token end-point: calls may not reach this address; see [egress] in the manifest"
    )
    assert server.seen.count == 0


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


async def test_a_signed_statement_is_exchanged_for_a_token(
    waiting: Waiting, server: Server, other_server: Server
) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    waiting.environment["KEY"] = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    server.answers, other_server.answers = [OK], [issuing()]
    credential = """
        [credentials.crm]
        type = "oauth2_jwt_bearer"
        token_url = "{url}/token"
        issuer = "bot@example.com"
        subject = "agent"
        key_id = "k1"
        private_key = {{ env = "KEY" }}
        claims = {{ tenant = 7 }}
    """
    await published(waiting, server, other_server, credential=credential)
    assert (await waiting.made("It")).status == 200
    assert sent(server) == ["Bearer token-1"]
    form = parse_qs(other_server.seen.requests[0][3].decode())
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    statement = jwt.decode(form["assertion"][0], jwk.import_key(public, "RSA"))
    said = statement.claims
    assert statement.header == {"typ": "JWT", "kid": "k1", "alg": "RS256"}
    assert (said["iss"], said["sub"], said["aud"], said["tenant"]) == (
        "bot@example.com",
        "agent",
        other_server.url + "/token",
        7,
    )
    assert said["exp"] - said["iat"] == 300


@pytest.mark.parametrize(
    "key", [HUSH, "-----BEGIN PRIVATE KEY-----\nY2FuYXJ5\n-----END PRIVATE KEY-----", '{"kty": "' + HUSH + '"}']
)
async def test_a_key_that_cannot_sign_is_named_and_not_shown(
    waiting: Waiting, server: Server, other_server: Server, key: str
) -> None:
    waiting.environment["KEY"] = key
    credential = '[credentials.crm]\ntype = "oauth2_jwt_bearer"\ntoken_url = "{url}"\nissuer = "b"\nprivate_key = {{ env = "KEY" }}'
    await published(waiting, server, other_server, credential=credential)
    outcome = await waiting.made("It")
    assert outcome.failure_detail == "credential crm: private_key cannot be used to sign with RS256"
    assert json.dumps(outcome.failure_detail).count("canary") == 0
