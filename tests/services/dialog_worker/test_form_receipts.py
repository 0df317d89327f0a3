"""What a worker tells the owner of a form: in the COMMIT of the turn that applies the call, or gives it up."""

from typing import Any

import msgspec
import pytest

from services.dialog_worker.turn_processes import EngineFailure
from shared.dialog.effects import ReceiptFact
from shared.dialog.events import WebViewCall
from shared.dialog.frames import Advance, Answer
from shared.dialog.session import Session
from shared.queue.receipts import Receipt, read_receipt, receipt_in
from shared.queue.records import StoredEvent, WebViewTerms
from shared.store import keys
from tests.services.dialog_worker.conftest import Talks
from tests.services.dialog_worker.conversations import Talk


async def post(talk: Talk, message: str | None = None) -> str:
    """Have a form call, as the gateway stores it; return the id of its receipt."""
    receipt = keys.new_receipt_id(talk.id)
    event = msgspec.json.encode(WebViewCall({"size": "M"}, message, receipt=receipt))
    terms = WebViewTerms(receipt=receipt, variables=1)
    ingested = await talk.parts.mailbox.ingest_web_view(talk.id, receipt, event, b"{}" if message else None, terms)
    assert ingested.outcome == "accepted"
    return receipt


async def told(redis: Any, receipt: str) -> Receipt:
    found = await read_receipt(redis, receipt)
    assert found is not None
    return found


async def test_the_turn_that_applies_a_call_tells_so(talk_with: Talks, redis: Any) -> None:
    def engine(request: Advance) -> Answer:
        receipt = request.event.receipt if isinstance(request.event, WebViewCall) else ""
        facts = [ReceiptFact(receipt, fact) for fact in ("applied", "routed", "read:Ask size")]
        return Answer(Session(request.version), [*facts])

    talk = await talk_with(engine)
    receipt = await post(talk, "done")
    assert (await told(redis, receipt)).state == "accepted"
    await talk.work()
    found = await told(redis, receipt)
    assert (found.state, found.message, [name for name, _ in found.read_by]) == ("applied", "routed", ["Ask size"])


async def test_a_call_that_is_given_up_is_told_as_given_up(talk_with: Talks, redis: Any) -> None:
    def engine(_: Advance) -> Answer:
        raise EngineFailure("KeyError in advance (engine.py:1)")

    talk = await talk_with(engine)
    receipt = await post(talk)
    await talk.work()
    assert (await told(redis, receipt)).state == "given-up"
    assert len(await talk.dead()) == 1


@pytest.mark.parametrize(
    ("body", "receipt"),
    [
        (msgspec.json.encode(WebViewCall({"a": "1"}, "m", receipt="0-ab")), "0-ab"),
        (msgspec.json.encode(WebViewCall({"receipt": "0-ab"})), ""),
        (msgspec.json.encode(WebViewCall({}, '"receipt":"0-ab"}')), ""),
        (msgspec.json.encode(WebViewCall({'x","receipt': "0-ab"})), ""),
        (b"no JSON", ""),
        (b'{"receipt":"0-ab"}\n', ""),
    ],
)
def test_the_receipt_of_an_event_is_its_last_field_and_no_value_can_stand_for_it(body: bytes, receipt: str) -> None:
    assert receipt_in(StoredEvent("web_view", 1, 1, new_session=False, late=False, body=body)) == receipt
    assert receipt_in(StoredEvent("message", 1, 1, new_session=False, late=False, body=body)) == ""
