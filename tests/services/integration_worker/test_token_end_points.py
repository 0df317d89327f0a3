"""Token end-points that misbehave, and statements that are signed for them: no word of either is repeated."""

import asyncio
import json
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwk, jwt

from shared.integration.client import OutboundClient
from tests.services.integration_worker.calling import Waiting, words
from tests.services.integration_worker.misbehaving import Server, cut, huge, reset
from tests.services.integration_worker.token_end_point import CLIENT, HUSH, OK, issuing, published, sent


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
    ((403, {}, b'{"error": {"code": 403, "message": "no"}}'), "the token end-point answered with an error of its own"),
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


async def test_a_token_end_point_may_be_rewritten_as_apis_are(
    waiting: Waiting, server: Server, other_server: Server
) -> None:
    server.answers, other_server.answers = [OK], [issuing()]
    await published(waiting, server, other_server, credential=CLIENT.replace("{url}", "https://login.example.com"))
    call_id = await waiting.call("It")
    await waiting.make(call_id, OutboundClient([("https://login.example.com", other_server.url)]))
    assert sent(server) == ["Bearer token-1"]
    assert other_server.seen.paths == ["POST /token"]


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
