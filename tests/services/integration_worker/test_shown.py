"""What an outcome carries for a console: the request as it may be shown, and without a console nothing of it."""

import msgspec

from services.integration_worker.bots import CompiledBots
from services.integration_worker.call import Calls
from services.integration_worker.worker import build_exchanges
from shared.integration.client import OutboundClient
from tests.services.integration_worker.calling import SETTINGS, Waiting, responder
from tests.services.integration_worker.misbehaving import Server

BODY = {"method": "POST", "postBody": '{"say": "{$botContext.say}", "token": "{$botContext.accessToken}"}'}
CANARY = "cAnAry-1"


async def made(waiting: Waiting, url: str, *, show: bool) -> bytes:
    """Make a call and return its outcome as it lies in Redis."""
    header = {"key": "Authorization", "value": f"Bearer {CANARY}-2"}
    await waiting.publish(responder("Store", url, headers=[header], **BODY))
    call_id = await waiting.call("Store", say="hello", accessToken=CANARY)
    async with OutboundClient() as client:
        exchanges = build_exchanges(SETTINGS, client, None, None)
        calls = Calls(waiting.mailbox, CompiledBots(waiting.bots), exchanges, show=show)
        await calls.call(call_id)
    outcome = await waiting.outcome(call_id)
    assert outcome is not None
    return msgspec.json.encode(outcome)


async def test_with_a_console_the_outcome_carries_the_request_with_its_secrets_masked(
    waiting: Waiting, server: Server
) -> None:
    stored = await made(waiting, f"{server.url}/ok", show=True)
    request = msgspec.json.decode(stored)["request"]
    assert (request["method"], request["address"]) == ("POST", f"{server.url}/ok")
    assert request["headers"]["Authorization"] == "Bearer •••"
    assert request["body"] == '{"say": "hello", "token": "•••"}'
    assert CANARY.encode() not in stored


async def test_without_a_console_nothing_of_the_request_is_stored(waiting: Waiting, server: Server) -> None:
    stored = await made(waiting, f"{server.url}/ok", show=False)
    assert "request" not in msgspec.json.decode(stored)
    assert b"hello" not in stored
