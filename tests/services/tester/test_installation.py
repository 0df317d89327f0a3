"""What can be played against an installation, and how calls are told from each other there."""

import socket
from pathlib import Path

import aiohttp
import pytest

from services.tester.calls import StubBook
from services.tester.installation import Installation, why_not
from services.tester.marked import Place
from services.tester.remote import Unreachable
from services.tester.stub_server import StubServer, path_pattern
from services.tester.suite import ExpectedRequest, Stub, StubAnswer
from shared.bot.bot import compile_bot
from shared.bot.integration import Integration
from shared.bot.source import read_bot
from shared.bot.templates import compile_template
from tests.unit.tester.writing import ORDERS, scenarios

PLACE = Place("a.test.yaml", 1)


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ("steps: [{user: a}]", ""),
        ("steps: [{advance: 1h}]", "time"),
        ("steps: [{variables: {a: 1}}]", "variables need"),
        ("variables: {a: 1}\n  steps: []", "laid down"),
        ("environment: {a: 1}\n  steps: []", "laid down"),
        ("stubs: {Orders: {failure: refused}}\n  steps: []", "no server can make this failure happen: refused"),
        ("stubs: {Orders: {status: 200}}\n  steps: []", "--stubs-port"),
        ("steps: [{user: {text: a, intents: {b: 1}}}]", "what a text means"),
    ],
)
def test_a_test_that_needs_what_an_installation_has_not_is_skipped_with_the_reason(
    tmp_path: Path, keys: str, reason: str
) -> None:
    scenario = scenarios(tmp_path, f"tests:\n- test_case: a\n  {keys}\n")[0]
    said = why_not(scenario, console=False, stubs=False)
    assert (reason in said) if reason else not said


@pytest.mark.parametrize(
    ("url", "pattern"),
    [
        ("https://api.example.com/orders/{$botContext.number}", "/orders/.*"),
        ("{$env.base}/orders/{$botContext.number}?page=1", ".*/orders/.*"),
        ("https://api.example.com", "/?"),
        ("https://{$env.host}/v1.0", r".*/v1\.0"),
    ],
)
def test_an_integration_is_known_by_the_path_of_its_address(url: str, pattern: str) -> None:
    integration = Integration("i", "n", "API", "n", "GET", compile_template(url))
    assert path_pattern(integration) == pattern


async def asked(server: StubServer, stub: Stub, *keys: str) -> list[int]:
    """Ask a server with a stub for the orders once with each idempotency key; return the statuses."""
    bot = compile_bot(read_bot(ORDERS))
    port = await server.start(0)
    server.serve(bot, StubBook({"Orders": stub}))
    found = []
    try:
        async with aiohttp.ClientSession() as session:
            for key in keys:
                async with session.get(f"http://127.0.0.1:{port}/orders/1", headers={"Idempotency-Key": key}) as answer:
                    found.append(answer.status)
    finally:
        await server.close()
    return found


async def test_attempts_of_one_call_share_the_last_answer_and_another_call_does_not() -> None:
    server = StubServer()
    stub = Stub(PLACE, (StubAnswer(PLACE, 503), StubAnswer(PLACE, 404)), sequence=True)
    assert await asked(server, stub, "a", "a", "a", "b") == [503, 404, 404, 501]
    assert "called once more than its stub has answers (2)" in str(server.problem)


async def test_a_request_that_is_not_the_expected_one_is_told_to_the_test() -> None:
    server = StubServer()
    stub = Stub(PLACE, (StubAnswer(PLACE, request=ExpectedRequest(PLACE, path="/orders/2")),), sequence=False)
    assert await asked(server, stub, "a") == [501]
    assert str(server.problem) == "the request has another path"


async def test_a_lost_connection_is_lost() -> None:
    with pytest.raises(aiohttp.ClientError):
        await asked(StubServer(), Stub(PLACE, (StubAnswer(PLACE, 0, failure="lost"),), sequence=False), "a")


def test_an_installation_that_is_away_is_named(tmp_path: Path) -> None:
    found = scenarios(tmp_path, "tests: [{test_case: a, steps: [{user: a}]}]")
    with pytest.raises(Unreachable, match=r"No installation answers at http://127.0.0.1:1"):
        list(Installation("http://127.0.0.1:1", 0).play_all(found))


def test_a_port_for_stubs_that_is_taken_is_named(tmp_path: Path) -> None:
    found = scenarios(tmp_path, "tests: [{test_case: a, steps: [{user: a}]}]")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Unreachable, match=rf"^Port {port} cannot be used for stubs"):
            list(Installation("http://127.0.0.1:1", port).play_all(found))
