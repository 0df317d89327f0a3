"""OAuth 2, authorization code: a consent becomes tokens, and those are refreshed for as long as they can be."""

import asyncio
import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web
from arq.connections import ArqRedis

from services.integration_worker.bots import CompiledBots
from services.integration_worker.consenting import Consenting
from services.integration_worker.fetching import Fetching
from services.integration_worker.tokens import Tokens
from shared.bot.bot import compile_bot
from shared.bot.manifest_credentials import AuthorizationCode
from shared.bot.source import open_blob
from shared.credentials import oauth
from shared.credentials.consents import PURPOSE as CONSENTS
from shared.credentials.consents import Consent, Consents, consent_id
from shared.credentials.secrets import SecretReader
from shared.credentials.token_store import PURPOSE, RedisTokens
from shared.integration.client import OutboundClient
from shared.privacy.sealing import Sealer
from tests.services.integration_worker.calling import Waiting, responder, words
from tests.services.integration_worker.misbehaving import Server

OK = (200, {"Content-Type": "application/json"}, b'{"ok":1}')
SECRET = ("a secret for the tests",)
REDIRECT = "https://bots.example.com/v1/credentials/callback"
MANIFEST = """
credential = "photos"
retries = 0
[credentials.photos]
type = "oauth2_authorization_code"
authorize_url = "https://login.example.com/authorize?tenant=7"
token_url = "{url}/token"
client_id = "bot"
client_secret = {{ env = "PHOTOS_SECRET" }}
scope = "read write"
authorize_parameters = {{ access_type = "offline" }}
"""


class Provider:
    """A token end-point that checks PKCE, and gives each refresh token once."""

    def __init__(self) -> None:
        self.forms: list[dict[str, str]] = []
        self.challenge = ""
        self.refresh_token = "refresh-0"

    async def answer(self, request: web.Request) -> web.Response:
        form = {name: values[0] for name, values in parse_qs(await request.text()).items()}
        self.forms.append(form)
        number = len(self.forms)
        if form["grant_type"] == "authorization_code":
            digest = hashlib.sha256(form["code_verifier"].encode()).digest()
            good = base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == self.challenge
        else:
            good = form["refresh_token"] == self.refresh_token
        if not good:
            return web.json_response({"error": "invalid_grant"}, status=400)
        self.refresh_token = f"refresh-{number}"
        return web.json_response(
            {"access_token": f"token-{number}", "refresh_token": self.refresh_token, "expires_in": 600}
        )


async def consented(waiting: Waiting, redis: ArqRedis, provider: Provider, code: str = "code-1") -> Consent:
    """Consent as a person does: open the page, come back with a code, let the worker exchange it."""
    blob = await waiting.bots.blob(waiting.version)
    assert blob is not None
    credential = compile_bot(open_blob(blob)).credentials["photos"]
    assert isinstance(credential, AuthorizationCode)
    state, verifier = oauth.random_text(), oauth.random_text()
    page = urlsplit(oauth.consent_page(credential, "bot", state, verifier, REDIRECT))
    query = {name: values[0] for name, values in parse_qs(page.query).items()}
    assert query.items() >= {"tenant": "7", "access_type": "offline", "scope": "read write", "state": state}.items()
    assert query.items() >= {"response_type": "code", "code_challenge_method": "S256", "redirect_uri": REDIRECT}.items()
    provider.challenge = query["code_challenge"]
    consents = Consents(redis, Sealer(SECRET, CONSENTS))
    await consents.begin(state, Consent("bot", waiting.version, "photos", REDIRECT, verifier))
    await consents.give(state, code)
    async with OutboundClient() as client:
        reader = SecretReader(waiting.environment, commands=False)
        tokens = Tokens(RedisTokens(redis, Sealer(SECRET, PURPOSE)))
        consenting = Consenting(consents, CompiledBots(waiting.bots), Fetching(client, reader), tokens)
        await consenting.exchange(consent_id(state))
        await consenting.exchange(consent_id(state))  # a job may be run twice
    consent = await consents.read(consent_id(state))
    assert consent is not None
    return consent


async def published(waiting: Waiting, server: Server, other_server: Server, more: str = "") -> Provider:
    provider = Provider()
    server.answers, other_server.answers = [OK], [provider.answer]
    waiting.environment["PHOTOS_SECRET"] = "canary-secret"
    await waiting.publish(responder("It", server.url), manifest=MANIFEST.format(url=other_server.url) + more)
    return provider


def bearers(server: Server) -> list[str]:
    return [headers["Authorization"] for _, _, headers, _ in server.seen.requests]


async def test_without_a_consent_the_call_says_how_to_give_one(
    waiting: Waiting, server: Server, other_server: Server
) -> None:
    await published(waiting, server, other_server)
    outcome = await waiting.made("It")
    assert outcome.failure_detail == (
        "credential photos: nobody has consented yet, or not for long: botlane credentials authorize photos"
    )
    assert server.seen.count == other_server.seen.count == 0


async def test_a_consent_becomes_tokens_that_are_refreshed(
    waiting: Waiting, server: Server, other_server: Server, redis: ArqRedis
) -> None:
    provider = await published(waiting, server, other_server)
    assert (await consented(waiting, redis, provider)).stage == "done"
    assert (await waiting.made("It")).status == 200
    for _ in range(2):
        (token,) = await redis.keys("token:*")
        await redis.delete(token)  # its time is over
        calls = [await waiting.call("It") for _ in range(5)]
        async with OutboundClient() as client:
            workers = [waiting.maker(client) for _ in range(2)]
            await asyncio.gather(*(workers[at % 2].call(call_id) for at, call_id in enumerate(calls)))
    assert bearers(server) == ["Bearer token-1", *["Bearer token-2"] * 5, *["Bearer token-3"] * 5]
    first, *others = provider.forms
    assert (first["code"], first["redirect_uri"]) == ("code-1", REDIRECT)
    assert [form["refresh_token"] for form in others] == ["refresh-1", "refresh-2"]
    everything = str([await redis.dump(key) for key in await redis.keys("*")])
    assert not any(word in everything for word in ("canary", "token-3", "refresh-3", "code-1"))


async def test_a_refused_token_is_refreshed_once(
    waiting: Waiting, server: Server, other_server: Server, redis: ArqRedis
) -> None:
    provider = await published(waiting, server, other_server)
    await consented(waiting, redis, provider)
    denied: Any = (401, {}, b"")
    server.answers = [denied, OK]
    outcome = await waiting.made("It")
    assert (outcome.status, words(outcome)) == (200, ["401", "200"])
    assert bearers(server) == ["Bearer token-1", "Bearer token-2"]


async def test_a_code_that_is_no_good_fails_the_consent(
    waiting: Waiting, server: Server, other_server: Server, redis: ArqRedis
) -> None:
    provider = await published(waiting, server, other_server)
    other_server.answers = [(400, {}, b'{"error": "invalid_grant", "error_description": "code-1 of canary-secret"}')]
    consent = await consented(waiting, redis, provider)
    assert (consent.stage, consent.why) == ("failed", "the token end-point answered invalid_grant")
    assert (consent.code, consent.verifier) == ("", "")


async def test_a_consent_without_a_refresh_token_says_when_it_ends(
    waiting: Waiting, server: Server, other_server: Server, redis: ArqRedis
) -> None:
    provider = await published(waiting, server, other_server)
    other_server.answers = [(200, {}, b'{"access_token": "only", "expires_in": 600}')]
    consent = await consented(waiting, redis, provider)
    assert (consent.stage, consent.why) == (
        "done",
        "it was given for 10 minutes only, without a refresh token: then somebody has to consent again",
    )
    assert (await waiting.made("It")).status == 200


@pytest.mark.parametrize("described", ['scope = "read"', 'client_id = "another"'])
async def test_a_credential_described_otherwise_needs_a_consent_of_its_own(
    waiting: Waiting, server: Server, other_server: Server, redis: ArqRedis, described: str
) -> None:
    provider = await published(waiting, server, other_server)
    await consented(waiting, redis, provider)
    key = described.partition(" ")[0]
    manifest = "\n".join(
        described if line.startswith(f"{key} ") else line for line in MANIFEST.format(url=other_server.url).splitlines()
    )
    await waiting.publish(responder("It", server.url), manifest=manifest + "\n")
    assert "nobody has consented" in (await waiting.made("It")).failure_detail
    moved = MANIFEST.format(url=other_server.url).replace("PHOTOS_SECRET", "MOVED")
    waiting.environment["MOVED"] = "canary-secret"
    await waiting.publish(responder("It", server.url), manifest=moved)
    assert (await waiting.made("It")).status == 200
