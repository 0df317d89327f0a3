"""Call records of bots that name sensitive variables: what calls carry and bring, sealed with the conversation's key.

What was not sealed when the call was recorded is not sealed when it has ended.
"""

import msgspec
import structlog

from services.integration_worker.records import CallRecords
from shared.dialog.events import CallOutcome
from shared.privacy.conversation_key import ConversationKey, ConversationKeys, is_sealed
from shared.privacy.sealing import CannotOpen
from shared.queue.records import CallStarted
from shared.store.keys import conversation_of

log = structlog.get_logger()


class SealedRecords:
    """Opens and seals on the way to the mailbox. Methods raise RedisUnreachable."""

    def __init__(self, mailbox: CallRecords, keys: ConversationKeys) -> None:
        self._mailbox = mailbox
        self._keys = keys
        self._begun: dict[str, ConversationKey] = {}  # the keys of calls being made whose record is sealed

    async def start(self, call_id: str, claim: str) -> CallStarted:
        """Begin an attempt. A call that cannot be opened ends at once, as `invalid`."""
        started = await self._mailbox.start(call_id, claim)
        if started.outcome != "go":
            self._begun.pop(call_id, None)
        elif is_sealed(started.values):
            try:
                key = self._keys.open(conversation_of(call_id), started.seal)
                started = msgspec.structs.replace(started, values=key.open(started.values, "call"))
            except CannotOpen as error:
                return await self._refused(call_id, str(error))
            self._begun[call_id] = key
        return started

    async def finish_attempt(self, call_id: str, claim: str, record: bytes) -> bool:
        """Note how an attempt ended: times and words, no values."""
        return await self._mailbox.finish_attempt(call_id, claim, record)

    async def result(self, call_id: str, outcome: bytes) -> bool:
        """Hand the outcome over, sealed if the call's record was."""
        key = self._begun.get(call_id)
        awaited = await self._mailbox.result(call_id, outcome if key is None else key.seal(outcome, "outcome"))
        self._begun.pop(call_id, None)
        return awaited

    async def _refused(self, call_id: str, reason: str) -> CallStarted:
        log.error("a call cannot be made", reason=reason)
        outcome = CallOutcome(call_id, failure="invalid", failure_detail=f"its record cannot be opened: {reason}")
        await self._mailbox.result(call_id, msgspec.json.encode(outcome))
        return CallStarted("refused")
