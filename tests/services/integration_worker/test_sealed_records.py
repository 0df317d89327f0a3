"""Calls of bots that name sensitive variables: opened to be made, sealed when they have ended."""

import msgspec
import pytest

from services.integration_worker.sealed_records import SealedRecords
from shared.dialog.events import CallOutcome
from shared.privacy.conversation_key import ConversationKeys
from shared.queue.records import CallStarted

TALK = "0-" + "1" * 32
CALL = f"{TALK}.3"
VALUES = msgspec.msgpack.encode({"card": "4111"})
KEYS = ConversationKeys(("a-secret-of-this-installation",))


class Recorded:
    """A mailbox with one call."""

    def __init__(self, started: CallStarted) -> None:
        self.started = started
        self.outcomes: list[bytes] = []

    async def start(self, call_id: str, claim: str) -> CallStarted:
        return self.started

    async def finish_attempt(self, call_id: str, claim: str, record: bytes) -> bool:
        return True

    async def result(self, call_id: str, outcome: bytes) -> bool:
        self.outcomes.append(outcome)
        return True


def sealed_call() -> tuple[Recorded, bytes]:
    seal = KEYS.fresh(TALK)
    values = KEYS.open(TALK, seal).seal(VALUES, "call")
    return Recorded(CallStarted("go", values=values, seal=seal)), seal


async def test_a_sealed_call_is_opened_and_its_outcome_sealed() -> None:
    mailbox, seal = sealed_call()
    records = SealedRecords(mailbox, KEYS)
    assert (await records.start(CALL, "claim")).values == VALUES
    assert await records.finish_attempt(CALL, "claim", b"{}")
    assert (await records.start(CALL, "again")).values == VALUES
    assert await records.result(CALL, b"outcome")
    assert KEYS.open(TALK, seal).open(mailbox.outcomes[0], "outcome") == b"outcome"
    assert mailbox.outcomes[0] != b"outcome"
    assert records._begun == {}


async def test_another_call_stays_as_it_is() -> None:
    mailbox = Recorded(CallStarted("go", values=VALUES))
    records = SealedRecords(mailbox, ConversationKeys(()))
    assert (await records.start(CALL, "claim")).values == VALUES
    await records.result(CALL, b"outcome")
    assert mailbox.outcomes == [b"outcome"]


@pytest.mark.parametrize("secrets", [(), ("another-secret-altogether",)])
async def test_a_call_that_cannot_be_opened_fails_with_its_reason(secrets: tuple[str, ...]) -> None:
    mailbox, _ = sealed_call()
    started = await SealedRecords(mailbox, ConversationKeys(secrets)).start(CALL, "claim")
    assert started.outcome == "refused"
    [outcome] = [msgspec.json.decode(one, type=CallOutcome) for one in mailbox.outcomes]
    assert outcome.failure == "invalid"
    assert "BOTLANE_SECRET" in outcome.failure_detail
