"""Servers that misbehave in every way: the attempts of a call, how it ends, and what the server saw of it."""

import asyncio
from itertools import pairwise

import msgspec
import pytest
from arq.connections import ArqRedis

from shared.bot.integration import Integration
from shared.bot.templates import compile_template
from shared.dialog.results import parse_outcome
from tests.services.integration_worker.calling import Waiting, responder, words
from tests.services.integration_worker.cases import CASES, Case, play
from tests.services.integration_worker.misbehaving import Server, accepting_nobody, serving


async def show(case: Case, waiting: Waiting, server: Server, other: Server) -> None:
    """Make the call of a case, and compare its trace and its end with the table, and with what the servers saw."""
    outcome, _ = await play(case, waiting, server, other)
    assert (case.name, words(outcome)) == (case.name, case.attempts)
    assert (case.name, outcome.failure or outcome.status) == (case.name, case.end)
    assert sum(attempt.sent for attempt in outcome.attempts) == server.seen.count + other.seen.count, case.name
    assert outcome.attempts[-1].at - outcome.attempts[0].at >= case.at_least * 1000 - 5, case.name
    assert {headers.get("Authorization") for _, _, headers, _ in other.seen.requests} <= {None}
    assert {headers.get("X-Api-Key") for _, _, headers, _ in other.seen.requests} <= {None}


@pytest.mark.parametrize("case", [case for case in CASES if not case.takes_long], ids=lambda case: case.name)
async def test_a_call_of_a_server_that_misbehaves_ends_as_its_policy_says(
    waiting: Waiting, server: Server, other_server: Server, case: Case
) -> None:
    await show(case, waiting, server, other_server)


async def test_calls_of_servers_that_let_wait_end_as_their_policy_says(redis: ArqRedis) -> None:
    async def one(case: Case) -> None:
        async with serving() as server, serving() as other:
            await show(case, Waiting(redis), server, other)

    await asyncio.gather(*(one(case) for case in CASES if case.takes_long))


async def test_who_is_not_reached_is_not_sent_anything(waiting: Waiting, refusing: str) -> None:
    await waiting.publish(responder("It", refusing))
    assert [attempt.sent for attempt in (await waiting.made("It")).attempts] == [0] * 4


async def test_a_host_that_accepts_nobody_leaves_room_to_try_again(waiting: Waiting) -> None:
    async with accepting_nobody() as url:
        await waiting.publish(responder("It", url, method="POST"), manifest="connect_timeout = 0.05\n")
        outcome = await waiting.made("It")
    assert (words(outcome), outcome.failure) == (["unreachable"] * 4, "unreachable")
    assert outcome.failure_detail == "no connection within its time limit"


async def test_a_post_that_has_not_gone_out_when_its_attempts_time_is_over_is_made_again(waiting: Waiting) -> None:
    async with accepting_nobody() as url:
        await waiting.publish(responder("It", url, method="POST"), manifest="attempt_timeout = 0.05\nretries = 1\n")
        assert words(await waiting.made("It")) == ["unreachable"] * 2


async def test_a_tls_handshake_that_never_ends_is_no_connection(waiting: Waiting) -> None:
    async with accepting_nobody() as url:
        await waiting.publish(
            responder("It", url.replace("http:", "https:")), manifest="connect_timeout = 0.05\nretries = 0\n"
        )
        assert words(await waiting.made("It")) == ["unreachable"]


JSON, XML = "application/json", "text/xml; charset=iso-8859-1"
BILLION_LAUGHS = (
    '<!DOCTYPE l [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {one} "{f"&{before};" * 10}">' for before, one in pairwise("abcdefghij"))
    + "]><l>&j;</l>"
)


@pytest.mark.parametrize(
    ("content_type", "body", "seen"),
    [
        (JSON, b"", '""'),
        ("text/html", b"<!DOCTYPE html><p>Down</p>", '"<!DOCTYPE html><p>Down</p>"'),
        (JSON, b"<html>Down</html>", '"<html>Down</html>"'),
        ("text/plain", b'{"ok":1}', '{"ok":1}'),
        ("text/plain", b"1e5", '"1e5"'),
        (JSON, b'{"ok":', '"{\\"ok\\":"'),
        (JSON, b"[1,2]", "[1,2]"),
        (JSON, b'"text"', '"text"'),
        (JSON, b"null", "null"),
        (JSON, b'{"id":12345678901234567890,"x":1.10}', '{"id":12345678901234567890,"x":1.10}'),
        (f"{JSON}; charset=iso-8859-1", '{"a":"ä"}'.encode("latin-1"), '{"a":"ä"}'),
        (f"{JSON}; charset=windows-1252", '{"a":"€"}'.encode("cp1252"), '{"a":"€"}'),
        (f"{JSON}; charset=utf-16", '{"a":"ä"}'.encode("utf-16"), '{"a":"ä"}'),
        (f"{JSON}; charset=nonsense", '{"a":"ä"}'.encode(), '{"a":"ä"}'),
        ("", b'{"ok":1}', '{"ok":1}'),
        ("application/octet-stream", b"\x00\xff", '"\\u0000\ufffd"'),
        (XML, '<a b="1"><c>ä</c></a>'.encode("latin-1"), '{"a":{"@b":"1","c":"ä"}}'),
        ("text/xml", BILLION_LAUGHS.encode(), msgspec.json.encode(BILLION_LAUGHS).decode()),
    ],
)
async def test_what_scripts_see_of_an_answer_is_its_json_or_its_text(
    waiting: Waiting, server: Server, content_type: str, body: bytes, seen: str
) -> None:
    server.answers = [(200, {"Content-Type": content_type} if content_type else {}, body)]
    await waiting.publish(responder("It", server.url))
    outcome = await waiting.made("It")
    assert (outcome.status, words(outcome)) == (200, ["200"])
    api, status, _ = parse_outcome(Integration("It", "It", "API", "It", "GET", compile_template("")), outcome)
    assert (api, status) == ({"jsonData": f'{{"api_It":{seen}}}'}, 200)
