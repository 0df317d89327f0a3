"""The page that a consent ends on: a state opens one consent, once, and nothing secret is shown."""

import asyncio
from typing import Any

import pytest
from arq.connections import ArqRedis

from shared.credentials.consents import Consent, Consents, consent_id
from shared.store import call_keys, keys
from tests.services.gateway.loopback import Gateway

STATE = "s" * 48
CALLBACK = "/v1/credentials/callback"


@pytest.fixture
async def consents(gateway: Gateway) -> Consents:
    from services.gateway.parts import PARTS

    consents = gateway.runner.app[PARTS].consents
    waiting = Consent("shop", "version", "crm", gateway.url + CALLBACK, verifier="canary-verifier")
    await consents.begin(STATE, waiting)
    return consents


async def opened(gateway: Gateway, **query: str) -> tuple[int, str, Any]:
    async with gateway.client.get(CALLBACK, params=query) as answer:
        return answer.status, await answer.text(), answer.headers


async def test_a_code_is_handed_to_a_worker_and_the_page_says_what_became_of_it(
    gateway: Gateway, consents: Consents, redis: ArqRedis
) -> None:
    page = asyncio.create_task(opened(gateway, state=STATE, code="canary-code"))
    while await redis.zcard(keys.integration_queue(0)) == 0:
        await asyncio.sleep(0.005)
    assert "canary" not in str([await redis.dump(key) for key in await redis.keys("*")])
    assert STATE not in str(await redis.keys("*"))
    given = await consents.take(consent_id(STATE))
    assert given is not None
    assert (given.code, given.verifier) == ("canary-code", "canary-verifier")
    assert "canary" not in repr(given)
    await consents.end(consent_id(STATE), given.ended("done"))
    status, text, headers = await page
    assert (status, "Calls can use crm now" in text) == (200, True)
    assert (headers["Cache-Control"], headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert "canary" not in text


async def test_a_state_opens_one_consent_once(gateway: Gateway, consents: Consents, redis: ArqRedis) -> None:
    first = asyncio.create_task(opened(gateway, state=STATE, code="first"))
    while await redis.zcard(keys.integration_queue(0)) == 0:
        await asyncio.sleep(0.005)
    second = asyncio.create_task(opened(gateway, state=STATE, code="second"))
    await asyncio.sleep(0.05)
    given = await consents.take(consent_id(STATE))
    assert given is not None
    assert given.code == "first"
    assert await redis.zcard(keys.integration_queue(0)) == 1
    await consents.end(consent_id(STATE), given.ended("failed", "the token end-point answered invalid_grant"))
    for status, text, _ in await asyncio.gather(first, second):
        assert (status, "The token end-point answered invalid_grant." in text) == (200, True)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"error": "access_denied"}, "The consent was refused."),
        ({"error": "<script>alert(1)</script>"}, "No consent was given."),
        ({"code": "c" * 5000}, "No consent was given."),
        ({}, "No consent was given."),
    ],
)
async def test_without_a_code_there_is_no_consent(
    gateway: Gateway, consents: Consents, query: dict[str, str], said: str
) -> None:
    status, text, _ = await opened(gateway, state=STATE, **query)
    assert (status, said in text, "<script" in text) == (200, True, False)
    consent = await consents.read(consent_id(STATE))
    assert consent is not None
    assert (consent.stage, consent.verifier) == ("failed", "")


@pytest.mark.parametrize(("state", "status"), [("x" * 48, 404), ("", 400), ("../" * 16, 400), ("é" * 48, 400)])
async def test_a_state_that_nobody_asked_for_opens_nothing(
    gateway: Gateway, consents: Consents, redis: ArqRedis, state: str, status: int
) -> None:
    assert (await opened(gateway, state=state, code="c"))[0] == status
    assert await redis.zcard(keys.integration_queue(0)) == 0


async def test_who_only_looks_at_the_address_uses_no_code_up(gateway: Gateway, consents: Consents) -> None:
    async with gateway.client.head(CALLBACK, params={"state": STATE, "code": "c"}) as answer:
        assert answer.status == 405
    waiting = await consents.read(consent_id(STATE))
    assert waiting is not None
    assert waiting.stage == "waiting"


async def test_a_consent_ends_after_ten_minutes(consents: Consents, redis: ArqRedis) -> None:
    assert 590 < await redis.ttl(call_keys.consent(consent_id(STATE))) <= 600
