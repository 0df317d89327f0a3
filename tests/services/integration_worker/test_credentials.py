"""Credentials on real calls: what the right host gets, and what a call says whose secret is missing."""

import asyncio
import base64
import json
import secrets
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from tests.services.integration_worker.calling import Waiting, responder, words
from tests.services.integration_worker.misbehaving import Server

OK = (200, {"Content-Type": "application/json"}, b'{"ok":1}')
DENIED: tuple[int, dict[str, str], bytes] = (401, {}, b"who are you?")
USE_CRM = 'credential = "crm"\n'


async def published(waiting: Waiting, url: str, credential: str, more: str = "", **parts: object) -> None:
    await waiting.publish(responder("It", url, **parts), manifest=USE_CRM + more + f"[credentials.crm]\n{credential}\n")


async def test_user_and_password_are_sent(waiting: Waiting, server: Server) -> None:
    server.answers = [OK]
    waiting.environment = {"CRM_PASSWORD": "paß:wort"}
    await published(waiting, server.url, 'type = "basic"\nusername = "bot"\npassword = { env = "CRM_PASSWORD" }')
    assert (await waiting.made("It")).status == 200
    expected = base64.b64encode("bot:paß:wort".encode()).decode()
    assert server.seen.requests[0][2]["Authorization"] == f"Basic {expected}"


@pytest.mark.parametrize(
    ("more", "header", "value"),
    [
        ("", "Authorization", "Bearer token-1"),
        ('scheme = "Token"', "Authorization", "Token token-1"),
        ('scheme = ""\nheader = "X-Shop-Token"', "X-Shop-Token", "token-1"),
    ],
)
async def test_an_access_token_is_sent_as_it_is_asked_for(
    waiting: Waiting, server: Server, more: str, header: str, value: str
) -> None:
    server.answers = [OK]
    waiting.environment = {"T": "token-1\n"}
    await published(waiting, server.url, f'type = "access_token"\ntoken = {{ env = "T" }}\n{more}')
    assert (await waiting.made("It")).status == 200
    assert server.seen.requests[0][2][header] == value


async def test_a_credential_wins_over_the_authors_header(waiting: Waiting, server: Server) -> None:
    server.answers = [OK]
    waiting.environment = {"T": "token-1"}
    own = [{"key": "authorization", "value": "Bearer old"}]
    await published(waiting, server.url, 'type = "access_token"\ntoken = { env = "T" }', headers=own)
    await waiting.made("It")
    assert server.seen.requests[0][2].getall("Authorization") == ["Bearer token-1"]  # type: ignore[attr-defined]


async def test_an_api_key_is_sent_in_a_header(waiting: Waiting, server: Server) -> None:
    server.answers = [OK]
    waiting.environment = {"K": "key-1"}
    await published(waiting, server.url, 'type = "api_key"\nkey = { env = "K" }\nheader = "X-Api-Key"')
    await waiting.made("It")
    assert server.seen.requests[0][2]["X-Api-Key"] == "key-1"


async def test_an_api_key_is_sent_in_the_query_and_shown_nowhere(waiting: Waiting, server: Server) -> None:
    server.answers = [OK]
    waiting.environment = {"K": "a key&b=c"}
    await published(
        waiting, server.url + "/o?a=1&apikey=old", 'type = "api_key"\nkey = { env = "K" }\nquery = "apikey"'
    )
    outcome = await waiting.made("It")
    assert server.seen.requests[0][1] == "/o?a=1&apikey=a%20key%26b%3Dc"
    assert outcome.address == server.url + "/o"


async def test_the_consumers_own_token_is_sent(waiting: Waiting, server: Server) -> None:
    server.answers = [OK]
    await published(waiting, server.url, 'type = "consumer"')
    assert (await waiting.made("It", cidp_accessToken="theirs")).status == 200
    assert server.seen.requests[0][2]["Authorization"] == "Bearer theirs"


async def test_a_consumer_who_has_not_signed_in_has_no_token(waiting: Waiting, server: Server) -> None:
    server.answers = [OK]
    await published(waiting, server.url, 'type = "consumer"')
    outcome = await waiting.made("It")
    assert (outcome.failure, server.seen.count) == ("credential", 0)
    assert outcome.failure_detail == (
        "credential crm: the variable cidp_accessToken holds no token: the consumer has to sign in"
    )


MISSING = [
    ('{ env = "CRM_TOKEN" }', "the environment variable CRM_TOKEN is not set where the integration worker runs"),
    ('{ env = "TWO_LINES" }', "the environment variable TWO_LINES has more than one line"),
    ('{ file = "/nowhere/token" }', "the file /nowhere/token cannot be read (No such file or directory)"),
    ('{ file = "large" }', "the file large is larger than 262144 bytes: it is no secret"),
    ('{ file = "/dev/zero" }', "the file /dev/zero is no file that has an end"),
    ('{ command = "false --token hush" }', "the command false ended with exit code 1"),
    ('{ command = "true" }', "the command true printed nothing"),
    ('{ command = "sleep 60" }', "the command sleep did not end within 0.5 s"),
    ('{ command = "/nowhere/vault" }', "the command /nowhere/vault cannot be started (No such file or directory)"),
    ('{ command = "vault \'read" }', "the command (empty) cannot be read as words: mend its quotes"),
]


@pytest.mark.parametrize(("where", "problem"), MISSING)
async def test_a_call_says_which_reference_is_missing(
    waiting: Waiting, server: Server, where: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.answers = [OK]
    monkeypatch.chdir(tmp_path)
    Path("large").write_bytes(b"x" * 262_145)
    waiting.environment = {"TWO_LINES": "a\nb"}
    if "sleep" in where:
        waiting.command_seconds = 0.5
    await published(waiting, server.url, f'type = "access_token"\ntoken = {where}')
    outcome = await waiting.made("It")
    assert (outcome.status, outcome.failure, words(outcome), server.seen.count) == (0, "credential", ["credential"], 0)
    assert outcome.failure_detail == f"credential crm: token: {problem}"


@pytest.mark.parametrize(
    "credential",
    [
        'type = "access_token"\ntoken = { command = "sleep 60" }',
        'type = "access_token"\ntoken = { env = "TOKEN" }\nmutual_tls = "bank"',
    ],
)
async def test_a_secret_that_is_slow_to_come_does_not_hold_a_call_beyond_its_budget(
    waiting: Waiting, server: Server, credential: str
) -> None:
    server.answers, waiting.environment = [OK], {"TOKEN": "t", "PATH": "/usr/bin:/bin"}
    bank = '\n[credentials.bank]\ntype = "mutual_tls"\npkcs12 = { command = "sleep 60" }'
    await published(waiting, server.url, credential + bank, "retries = 0\n")
    outcome = await waiting.made("It", budget_ms=200)
    assert (outcome.failure, words(outcome), server.seen.count) == ("unreachable", ["unreachable"], 0)
    assert outcome.failure_detail == "credential crm: its secrets could not be read in time"


async def test_a_file_is_read_again_when_it_has_changed(waiting: Waiting, server: Server, tmp_path: Path) -> None:
    server.answers = [OK]
    file = tmp_path / "token"
    await published(waiting, server.url, f'type = "access_token"\ntoken = {{ file = "{file}" }}')
    for text in ("first", "the second\n"):
        file.write_text(text)
        await waiting.made("It")
    sent = [headers["Authorization"] for _, _, headers, _ in server.seen.requests]
    assert sent == ["Bearer first", "Bearer the second"]


@pytest.mark.parametrize("closed", ["own/secret", "own", "."])
async def test_a_file_of_our_own_is_not_for_bots_by_whatever_name(
    waiting: Waiting, server: Server, tmp_path: Path, closed: str
) -> None:
    own = tmp_path / "own/secret"
    own.parent.mkdir()
    own.write_text("the installation's")
    (tmp_path / "token").symlink_to(own)
    waiting.closed = (str(tmp_path / closed),)
    await published(waiting, server.url, f'type = "access_token"\ntoken = {{ file = "{tmp_path}/token" }}')
    outcome = await waiting.made("It")
    assert outcome.failure_detail.endswith("token is Botlane's own and not for bots")
    assert server.seen.count == 0


async def test_a_command_is_run_once_for_many_calls_and_again_after_a_401(
    waiting: Waiting, server: Server, tmp_path: Path
) -> None:
    runs = tmp_path / "runs"
    script = tmp_path / "print-token"
    script.write_text(f"#!/bin/sh\necho >> {runs}\necho token-$(wc -l < {runs})\n")
    script.chmod(0o700)
    waiting.environment = {"PATH": "/usr/bin:/bin"}
    server.answers = [OK, OK, OK, DENIED, OK]
    await published(waiting, server.url, f'type = "access_token"\ntoken = {{ command = "{script}" }}')
    await asyncio.gather(*(waiting.made("It") for _ in range(3)))
    outcome = await waiting.made("It")
    assert (outcome.status, words(outcome)) == (200, ["401", "200"])
    assert [attempt.renewed for attempt in outcome.attempts] == [False, True]
    sent = [headers["Authorization"] for _, _, headers, _ in server.seen.requests]
    assert sent == [*["Bearer token-1"] * 4, "Bearer token-2"]


async def test_a_401_is_the_answer_when_there_is_nothing_to_renew(waiting: Waiting, server: Server) -> None:
    server.answers = [DENIED]
    waiting.environment = {"T": "token-1"}
    await published(waiting, server.url, 'type = "access_token"\ntoken = { env = "T" }')
    outcome = await waiting.made("It")
    assert (outcome.status, words(outcome)) == (401, ["401"])


@pytest.mark.parametrize(("place", "repeated"), [('header = "X-Shop"', ""), ('query = "id"', "?id=hush-hush-1&a=1")])
async def test_another_origin_gets_no_credential_whatever_its_name(
    waiting: Waiting, server: Server, other_server: Server, place: str, repeated: str
) -> None:
    waiting.environment = {"K": "hush-hush-1"}
    server.answers = [
        (307, {"Location": "/next"}, b""),
        (307, {"Location": other_server.url + "/there" + repeated}, b""),
    ]
    other_server.answers = [(307, {"Location": server.url + "/back"}, b""), OK]
    await published(waiting, server.url + "/first", f'type = "api_key"\nkey = {{ env = "K" }}\n{place}')
    server.answers.append(OK)
    assert (await waiting.made("It")).status == 200
    first, second, back = server.seen.requests
    assert "hush-hush-1" in str(first)
    assert "hush-hush-1" in str(second)
    assert "hush-hush-1" not in str(other_server.seen.requests) + str(back)


async def test_an_answer_that_repeats_a_secret_is_masked_however_it_is_written(
    waiting: Waiting, server: Server
) -> None:
    secret = 'hush "hush" 1/2'
    told = f"{secret} {json.dumps(secret)[1:-1]} {quote(secret)} {quote(secret, safe='')} {quote_plus(secret)}"
    server.answers = [(200, {"X-Echo": f"Bearer {secret}"}, told.encode())]
    waiting.environment = {"T": secret}
    await published(waiting, server.url, 'type = "access_token"\ntoken = { env = "T" }')
    outcome = await waiting.made("It")
    assert outcome.body == " ".join(["[secret]"] * 5)
    assert outcome.headers["X-Echo"] == "Bearer [secret]"


async def test_a_call_goes_on_with_what_was_recorded_of_it_also_by_an_older_version(
    waiting: Waiting, server: Server
) -> None:
    """An attempt and its renewal are one record; version 0.1.0 wrote the attempt alone."""
    server.answers = [OK]
    await waiting.publish(responder("It", server.url))
    call_id = await waiting.call("It")
    for record in (
        b'{"at":1,"ms":2.0,"outcome":"500"}',
        b'[{"at":1,"ms":2.0,"outcome":"401"},{"at":2,"ms":2.0,"outcome":"503"}]',
    ):
        await waiting.mailbox.start(call_id, claim := secrets.token_hex(4))
        assert await waiting.mailbox.finish_attempt(call_id, claim, record)
    await waiting.make(call_id)
    outcome = await waiting.outcome(call_id)
    assert outcome is not None
    assert words(outcome) == ["500", "401", "503", "200"]
