"""Servers that misbehave in every way: the attempts of a call, how it ends, and what the server saw of it."""

import pytest

from shared.dialog.results import body_json
from tests.services.integration_worker.calling import Waiting, responder, words
from tests.services.integration_worker.cases import CASES, Case, play
from tests.services.integration_worker.misbehaving import Server, accepting_nobody


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_call_of_a_server_that_misbehaves_ends_as_its_policy_says(
    waiting: Waiting, server: Server, other_server: Server, case: Case
) -> None:
    outcome, _ = await play(case, waiting, server, other_server)
    assert words(outcome) == case.attempts
    assert (outcome.failure or outcome.status) == case.end
    assert sum(attempt.sent for attempt in outcome.attempts) == server.seen.count + other_server.seen.count
    assert outcome.attempts[-1].at - outcome.attempts[0].at >= case.at_least * 1000 - 5
    assert {headers.get("Authorization") for _, _, headers, _ in other_server.seen.requests} <= {None}
    assert {headers.get("X-Api-Key") for _, _, headers, _ in other_server.seen.requests} <= {None}


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


JSON = "application/json"


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
    ],
)
async def test_what_scripts_see_of_an_answer_is_its_json_or_its_text(
    waiting: Waiting, server: Server, content_type: str, body: bytes, seen: str
) -> None:
    server.answers = [(200, {"Content-Type": content_type} if content_type else {}, body)]
    await waiting.publish(responder("It", server.url))
    outcome = await waiting.made("It")
    assert (outcome.status, words(outcome)) == (200, ["200"])
    assert body_json(outcome.body, outcome.headers.get("Content-Type", "")) == seen
