"""One call, from its job to its outcome, against servers that misbehave."""

import asyncio
import json
from collections.abc import Awaitable
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from shared.integration.client import OutboundClient
from shared.store import keys
from tests.services.integration_worker.calling import Waiting, responder, until, words
from tests.services.integration_worker.misbehaving import Server, bomb, cut, huge, reset

OK = (200, {"Content-Type": "application/json"}, b'{"ok":1}')


def failing(status: int, **headers: str) -> tuple[int, dict[str, str], bytes]:
    return (status, {name.replace("_", "-"): value for name, value in headers.items()}, b"no")


async def test_a_call_brings_its_answer(waiting: Waiting, server: Server) -> None:
    server.answers = [OK]
    body = '{"name": "{$botContext.name}"}'
    await waiting.publish(responder("Orders", server.url + "/o/{$botContext.n}?k=secret", method="POST", postBody=body))
    outcome = await waiting.made("Orders", n=7, name='a "b"\n')
    assert (outcome.status, outcome.body, outcome.failure) == (200, '{"ok":1}', None)
    assert (outcome.method, outcome.address) == ("POST", server.url + "/o/7")
    assert outcome.headers["Content-Type"] == "application/json"
    assert words(outcome) == ["200"]
    ((method, path, headers, sent),) = server.seen.requests
    assert (method, path, json.loads(sent)) == ("POST", "/o/7?k=secret", {"name": 'a "b"\n'})
    assert headers["Accept"] == headers["Content-Type"] == "application/json;charset=UTF-8"


async def test_a_call_on_which_the_worker_fails_ends_at_once(
    waiting: Waiting, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("what nobody thought of")

    monkeypatch.setattr(OutboundClient, "attempt", fails)
    await waiting.publish(responder("Orders", server.url))
    with capture_logs() as logs:
        outcome = await waiting.made("Orders")
    assert (outcome.failure, outcome.failure_detail) == (
        "lost",
        "the integration worker failed on it: its log says why",
    )
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["the worker failed on a call"]


TABLE: list[tuple[str, list[Any], list[str], int | str]] = [
    # a server that gives                            attempts                          status or failure
    ("GET", [failing(500), OK], ["500", "200"], 200),
    ("GET", [failing(500)], ["500"] * 4, 500),
    ("GET", [reset, cut, failing(502), OK], ["lost", "lost", "502", "200"], 200),
    ("GET", [failing(429, Retry_After="0"), OK], ["429", "200"], 200),
    ("GET", [failing(429, Retry_After="60"), OK], ["429"], 429),
    ("GET", [failing(404), OK], ["404"], 404),
    ("GET", [failing(204), OK], ["204"], 204),
    ("GET", [huge, OK], ["too_large"], "too_large"),
    ("GET", [bomb("gzip"), OK], ["too_large"], "too_large"),
    ("GET", [failing(302, Location="/again")], ["refused"], "refused"),
    ("GET", [failing(302, Location="http://169.254.169.254/"), OK], ["refused"], "refused"),
    ("PUT", [reset, OK], ["lost", "200"], 200),
    ("DELETE", [failing(503), OK], ["503", "200"], 200),
    ("POST", [failing(500), OK], ["500"], 500),
    ("POST", [reset, OK], ["lost"], "lost"),
    ("POST", [cut, OK], ["lost"], "lost"),
    ("POST", [failing(503), OK], ["503"], 503),
    ("POST", [failing(503, Retry_After="0"), OK], ["503", "200"], 200),
    ("POST", [failing(429), failing(429), OK], ["429", "429", "200"], 200),
    ("PATCH", [failing(504), OK], ["504"], 504),
]


@pytest.mark.parametrize(("method", "answers", "attempts", "end"), TABLE)
async def test_the_policy_is_carried_out(
    waiting: Waiting, server: Server, method: str, answers: list[Any], attempts: list[str], end: int | str
) -> None:
    server.answers = answers
    await waiting.publish(responder("It", server.url, method=method))
    outcome = await waiting.made("It")
    assert words(outcome) == attempts
    assert (outcome.failure or outcome.status) == end


async def test_an_unsafe_call_is_repeated_if_it_says_so_with_the_same_key(waiting: Waiting, server: Server) -> None:
    server.answers = [reset, failing(500), OK]
    await waiting.publish(responder("It", server.url, method="POST"), manifest="repeat_unsafe = true\n")
    assert words(await waiting.made("It")) == ["lost", "500", "200"]
    sent = {headers["Idempotency-Key"] for _, _, headers, _ in server.seen.requests}
    assert len(sent) == 1


async def test_calls_have_keys_of_their_own_that_do_not_tell_the_conversation(waiting: Waiting, server: Server) -> None:
    server.answers = [OK]
    await waiting.publish(responder("It", server.url))
    calls = [await waiting.call("It") for _ in range(2)]
    for call_id in calls:
        await waiting.make(call_id)
    sent = [headers["Idempotency-Key"] for _, _, headers, _ in server.seen.requests]
    assert len(set(sent)) == 2
    assert not any(keys.conversation_of(call_id).partition("-")[2] in key for key in sent for call_id in calls)


async def test_the_key_can_be_switched_off_or_be_the_authors(waiting: Waiting, server: Server) -> None:
    server.answers = [OK]
    own = [{"key": "idempotency-key", "value": "mine"}]
    await waiting.publish(responder("It", server.url, headers=own))
    await waiting.made("It")
    await waiting.publish(responder("It", server.url), manifest="idempotency_key = false\n")
    await waiting.made("It")
    assert [headers.get("Idempotency-Key") for _, _, headers, _ in server.seen.requests] == ["mine", None]


async def test_a_port_that_is_closed_is_tried_four_times_whatever_the_method(waiting: Waiting, refusing: str) -> None:
    await waiting.publish(responder("It", refusing, method="POST"))
    outcome = await waiting.made("It")
    assert (words(outcome), outcome.failure) == (["unreachable"] * 4, "unreachable")


async def test_an_attempt_that_hangs_is_repeated_within_its_own_limit(waiting: Waiting, server: Server) -> None:
    server.answers = [server.hang, OK]
    await waiting.publish(responder("It", server.url), manifest="attempt_timeout = 1.0\n")
    assert words(await waiting.made("It")) == ["timeout", "200"]


async def test_the_budget_ends_a_call_that_hangs(waiting: Waiting, server: Server) -> None:
    server.answers = [server.hang]
    await waiting.publish(responder("It", server.url))
    outcome = await waiting.made("It", budget_ms=700)
    assert (words(outcome), outcome.failure) == (["timeout"], "timeout")


async def test_no_inner_address_is_called_unless_the_manifest_allows_it(waiting: Waiting, server: Server) -> None:
    server.answers = [OK]
    await waiting.publish(responder("It", server.url), private=False)
    outcome = await waiting.made("It")
    assert (outcome.failure, words(outcome), server.seen.count) == ("refused", ["refused"], 0)


async def test_an_answer_that_grows_too_much_as_json_is_too_large(waiting: Waiting, server: Server) -> None:
    server.answers = [(200, {"Content-Type": "text/plain"}, b"\x01" * 500_000)]
    await waiting.publish(responder("It", server.url))
    outcome = await waiting.made("It")
    assert (outcome.failure, outcome.status, outcome.body, words(outcome)) == ("too_large", 0, "", ["200"])


async def test_a_request_that_cannot_be_rendered_is_invalid(waiting: Waiting, server: Server) -> None:
    await waiting.publish(responder("It", server.url + "/{$botContext.v}"))
    outcome = await waiting.made("It", v="secret\nline")
    assert (outcome.failure, outcome.attempts, outcome.method) == ("invalid", [], "GET")
    assert "line break" in outcome.failure_detail
    assert "secret" not in outcome.failure_detail


@pytest.mark.parametrize("integration", ["Other", "Mail"])
async def test_an_integration_that_cannot_be_called_is_invalid(waiting: Waiting, integration: str) -> None:
    await waiting.publish({**responder("Mail", ""), "integrationType": "EMAIL"})
    assert (await waiting.made(integration)).failure == "invalid"


async def test_a_version_that_is_gone_is_invalid(waiting: Waiting, server: Server) -> None:
    await waiting.publish(responder("It", server.url))
    await waiting.redis.delete(keys.bot_version(waiting.version))
    outcome = await waiting.made("It")
    assert outcome.failure == "invalid"
    assert "deploy" in outcome.failure_detail


async def test_a_call_that_was_not_begun_in_time_is_late_at_once(waiting: Waiting, server: Server) -> None:
    await waiting.publish(responder("It", server.url))
    call_id = await waiting.call("It", queue_ms=-30_000)
    await waiting.make(call_id)
    outcome = await waiting.outcome(call_id)
    assert outcome is not None
    assert (outcome.failure, outcome.attempts, server.seen.count) == ("late", [], 0)


async def test_a_call_nobody_waits_for_is_not_made(waiting: Waiting, server: Server) -> None:
    server.answers = [OK]
    await waiting.publish(responder("It", server.url))
    call_id = await waiting.call("It")
    await waiting.make(call_id)
    await waiting.make(call_id)
    await waiting.make(f"{keys.new_conversation_id(0)}.1")
    assert server.seen.count == 1


async def test_the_second_result_of_a_call_is_dropped(waiting: Waiting, server: Server) -> None:
    server.answers = [server.hang, (200, {}, b"first")]
    await waiting.publish(responder("It", server.url))
    call_id = await waiting.call("It")
    slow = asyncio.create_task(waiting.make(call_id))
    await until(server.called(1), slow)
    await waiting.make(call_id)  # as after a lease that was lost: two workers make the same call
    server.released.set()
    await slow
    outcome = await waiting.outcome(call_id)
    assert outcome is not None
    assert (outcome.body, words(outcome)) == ("first", ["interrupted", "200"])


# -- after the death of a worker ----------------------------------------------------------------------------------


async def cut_off(waiting: Waiting, server: Server, call_id: str) -> None:
    """Make a call until its request has arrived, then die without a word."""
    server.answers = [server.hang, *server.answers]
    dying = asyncio.create_task(waiting.make(call_id))
    await until(server.called(server.seen.count + 1), dying)
    dying.cancel()
    await asyncio.wait([dying])


async def test_a_get_goes_on_after_its_worker_died(waiting: Waiting, server: Server) -> None:
    server.answers = [OK]
    await waiting.publish(responder("It", server.url))
    call_id = await waiting.call("It")
    await cut_off(waiting, server, call_id)
    await waiting.make(call_id)
    outcome = await waiting.outcome(call_id)
    assert outcome is not None
    assert (outcome.status, words(outcome)) == (200, ["interrupted", "200"])


async def test_a_post_ends_as_interrupted_after_its_worker_died(waiting: Waiting, server: Server) -> None:
    server.answers = [OK]
    await waiting.publish(responder("It", server.url, method="POST"))
    call_id = await waiting.call("It")
    await cut_off(waiting, server, call_id)
    await waiting.make(call_id)
    outcome = await waiting.outcome(call_id)
    assert outcome is not None
    assert (outcome.failure, words(outcome), server.seen.count) == ("interrupted", ["interrupted"], 1)
    assert outcome.address == server.url + "/"


async def test_a_post_that_says_so_goes_on_after_its_worker_died(waiting: Waiting, server: Server) -> None:
    server.answers = [OK]
    await waiting.publish(responder("It", server.url, method="POST"), manifest="repeat_unsafe = true\n")
    call_id = await waiting.call("It")
    await cut_off(waiting, server, call_id)
    await waiting.make(call_id)
    outcome = await waiting.outcome(call_id)
    assert outcome is not None
    assert (outcome.status, words(outcome)) == (200, ["interrupted", "200"])


async def test_a_worker_that_died_between_attempts_loses_none(waiting: Waiting, server: Server) -> None:
    server.answers = [failing(429, Retry_After="5"), OK]
    await waiting.publish(responder("It", server.url, method="POST"))
    call_id = await waiting.call("It")
    dying = asyncio.create_task(waiting.make(call_id))

    async def recorded() -> bool:
        return b"attempt:1" in await cast("Awaitable[list[bytes]]", waiting.redis.hkeys(keys.call(call_id)))

    await until(recorded, dying)
    dying.cancel()
    await asyncio.wait([dying])
    await waiting.make(call_id)
    outcome = await waiting.outcome(call_id)
    assert outcome is not None
    assert (outcome.status, words(outcome)) == (200, ["429", "200"])


async def test_attempts_are_counted_over_all_workers(waiting: Waiting, server: Server) -> None:
    server.answers = [failing(500)]
    await waiting.publish(responder("It", server.url))
    call_id = await waiting.call("It")
    for _ in range(2):
        await cut_off(waiting, server, call_id)
        server.answers = [failing(500)]
    await waiting.make(call_id)
    outcome = await waiting.outcome(call_id)
    assert outcome is not None
    assert words(outcome)[-3:] == ["interrupted", "500", "500"]
    assert server.seen.count == 4


async def test_no_value_reaches_a_log(waiting: Waiting, server: Server) -> None:
    server.answers = [failing(500), (200, {"X-Secret": "secret"}, b"secret")]
    row = [{"key": "X", "value": "{$botContext.v}"}]
    await waiting.publish(
        responder(
            "It",
            server.url + "/secret/{$botContext.v}",
            headers=row,
            params=row,
            postBody="{$botContext.v}",
            method="PUT",
        )
    )
    with capture_logs() as lines:
        await waiting.made("It", v="secret")
    assert [line["event"] for line in lines] == ["call"]
    assert "secret" not in str(lines)


async def test_one_client_serves_many_calls_at_once(waiting: Waiting, server: Server) -> None:
    server.answers = [OK]
    await waiting.publish(responder("It", server.url))
    calls = [await waiting.call("It") for _ in range(50)]
    async with OutboundClient() as client:
        maker = waiting.maker(client)
        await asyncio.gather(*map(maker.call, calls))
    assert [(await waiting.outcome(call_id)) is not None for call_id in calls] == [True] * 50
