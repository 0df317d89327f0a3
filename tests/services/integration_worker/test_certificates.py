"""Mutual TLS on real calls: client certificates from PEM and PKCS#12, shown to the right host alone."""

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from tests.services.integration_worker.authority import PASSPHRASE, Authority
from tests.services.integration_worker.calling import Waiting, responder
from tests.services.integration_worker.misbehaving import Server, serving

PEM = 'certificate = { file = "client.pem" }\nprivate_key = { file = "client.key" }'
LOCKED = 'certificate = { file = "client.pem" }\nprivate_key = { file = "client.locked.key" }'
PKCS12 = 'pkcs12 = { file = "client.p12" }'
PHRASE = '\npassphrase = { env = "PHRASE" }'


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = Authority(tmp_path_factory.mktemp("authority"))
    for name in ("client", "other"):
        made.client(name)
    return made


@pytest.fixture
async def secure(authority: Authority) -> AsyncIterator[Server]:
    """A server that lets only clients with a certificate in, and says who they are."""
    async with serving(authority.server()) as server:
        server.answers = [who]
        yield server


async def who(request: web.Request) -> web.Response:
    assert request.transport is not None
    subject = request.transport.get_extra_info("peercert")["subject"]
    return web.json_response({"client": subject[0][0][1]})


async def published(waiting: Waiting, authority: Authority, url: str, credential: str, trust: bool = True) -> None:
    waiting.environment["PHRASE"] = PASSPHRASE
    table = '[credentials.bank]\ntype = "mutual_tls"\n' + credential
    table += '\nauthorities = { file = "authority.pem" }\n' if trust else "\n"
    table = table.replace('file = "', f'file = "{authority.folder}/')
    await waiting.publish(responder("It", url), manifest='credential = "bank"\nretries = 0\n' + table)


@pytest.mark.parametrize("credential", [PEM, LOCKED + PHRASE, PKCS12 + PHRASE])
async def test_the_client_certificate_is_shown(
    waiting: Waiting, authority: Authority, secure: Server, credential: str
) -> None:
    await published(waiting, authority, secure.url, credential)
    assert (await waiting.made("It")).body == '{"client": "client"}'


async def test_pkcs12_may_come_as_base64_from_a_variable(
    waiting: Waiting, authority: Authority, secure: Server
) -> None:
    waiting.environment["P12"] = base64.encodebytes((authority.folder / "client.p12").read_bytes()).decode()
    await published(waiting, authority, secure.url, 'pkcs12 = { env = "P12" }' + PHRASE)
    assert (await waiting.made("It")).body == '{"client": "client"}'


async def test_a_certificate_that_has_been_replaced_is_used(
    waiting: Waiting, authority: Authority, secure: Server
) -> None:
    (authority.folder / "changing.p12").write_bytes((authority.folder / "client.p12").read_bytes())
    await published(waiting, authority, secure.url, 'pkcs12 = { file = "changing.p12" }' + PHRASE)
    assert (await waiting.made("It")).body == '{"client": "client"}'
    (authority.folder / "changing.p12").write_bytes((authority.folder / "other.p12").read_bytes())
    assert (await waiting.made("It")).body == '{"client": "other"}'


WRONG = [
    (PEM.replace("client.key", "other.key"), "private_key does not belong to certificate"),
    (LOCKED, "certificate and private_key are no PEM, or passphrase does not open the key"),
    (
        PEM.replace("client.pem", "client.p12"),
        "certificate and private_key are no PEM, or passphrase does not open the key",
    ),
    (PKCS12, "pkcs12 is no PKCS#12 file, or passphrase does not open it"),
    (PKCS12.replace("client.p12", "client.pem") + PHRASE, "pkcs12 is no PKCS#12 file, or passphrase does not open it"),
    (
        PKCS12 + '\npassphrase = { env = "NOT_SET" }',
        "passphrase: the environment variable NOT_SET is not set where the integration worker runs",
    ),
]


@pytest.mark.parametrize(("credential", "problem"), WRONG)
async def test_a_certificate_that_cannot_be_used_is_named(
    waiting: Waiting, authority: Authority, secure: Server, credential: str, problem: str
) -> None:
    await published(waiting, authority, secure.url, credential)
    outcome = await waiting.made("It")
    assert (outcome.failure, outcome.failure_detail) == ("credential", f"credential bank: {problem}")
    assert secure.seen.count == 0


async def test_authorities_that_are_none_are_named(
    waiting: Waiting, authority: Authority, secure: Server, tmp_path: Path
) -> None:
    (tmp_path / "authorities").write_text("none")
    more = f'\nauthorities = {{ file = "{tmp_path}/authorities" }}'
    await waiting.publish(
        responder("It", secure.url),
        manifest=f'credential = "bank"\n[credentials.bank]\ntype = "mutual_tls"\ncertificate = {{ file = "{authority.folder}/client.pem" }}{more}\n',
    )
    assert (await waiting.made("It")).failure_detail == "credential bank: authorities holds no certificates in PEM"


async def test_a_server_of_another_authority_is_not_trusted(
    waiting: Waiting, authority: Authority, secure: Server
) -> None:
    await published(waiting, authority, secure.url, PEM, trust=False)
    outcome = await waiting.made("It")
    assert (outcome.failure, outcome.failure_detail) == ("unreachable", "no trusted TLS connection could be made")
    assert secure.seen.count == 0


async def test_another_origin_is_not_shown_the_certificate(
    waiting: Waiting, authority: Authority, secure: Server
) -> None:
    async with serving(authority.server()) as other:
        other.answers = [who]
        secure.answers = [(307, {"Location": other.url}, b"")]
        await published(waiting, authority, secure.url, PEM)
        outcome = await waiting.made("It")
        assert (outcome.status, secure.seen.count, other.seen.count) == (0, 1, 0)


async def test_a_certificate_is_shown_together_with_a_token_and_to_its_end_point(
    waiting: Waiting, authority: Authority, secure: Server
) -> None:
    async def whose(request: web.Request) -> web.Response:
        shown = await who(request)
        if request.path != "/token":
            return shown
        return web.json_response(
            {"access_token": f"token of {json.loads(shown.text or '')['client']}".replace(" ", "-")}
        )

    secure.answers = [whose]
    waiting.environment["SECRET"] = "hush"
    await published(waiting, authority, secure.url, PEM)
    manifest = f"""
        credential = "crm"
        [credentials.crm]
        type = "oauth2_client_credentials"
        mutual_tls = "bank"
        token_url = "{secure.url}/token"
        client_id = "bot"
        client_secret = {{ env = "SECRET" }}
        [credentials.bank]
        type = "mutual_tls"
        pkcs12 = {{ file = "{authority.folder}/client.p12" }}
        passphrase = {{ env = "PHRASE" }}
        authorities = {{ file = "{authority.folder}/authority.pem" }}
    """
    await waiting.publish(responder("It", secure.url), manifest=manifest)
    assert (await waiting.made("It")).body == '{"client": "client"}'
    assert secure.seen.requests[-1][2]["Authorization"] == "Bearer token-of-client"
    (authority.folder / "client.p12").rename(authority.folder / "moved.p12")
    try:
        outcome = await waiting.made("It")
    finally:
        (authority.folder / "moved.p12").rename(authority.folder / "client.p12")
    assert outcome.failure_detail == (
        f"credential crm: mutual_tls: pkcs12: the file {authority.folder}/client.p12 cannot be read (No such file or directory)"
    )
