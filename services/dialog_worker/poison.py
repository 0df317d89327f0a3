"""Events that cannot be handled: how often they are tried, and what is committed when they are given up.

An engine failure is repeated at once under the same lease; the third ends the event. So does the tenth lost lease in
a row: an event that kills its worker must not kill the next ones for ever. The session is left as it was; one that the
event should have replaced is dropped, so that the next event begins the new one.
"""

from services.dialog_worker.outbox_entry import text_entry
from services.dialog_worker.turn import Handled, trace_of
from shared.dialog.trace import TraceLine
from shared.queue.receipts import receipt_in
from shared.queue.records import Commit, DeadEvent

ENGINE_TRIES = 3
LOST_LEASES = 10
ENGINE, LEASES_LOST = "engine", "lost-leases"


def is_poison(tries: int) -> bool:
    """Tell whether a conversation that is begun for the `tries`th time since its last COMMIT has lost too often."""
    return tries > LOST_LEASES


def burial(handled: Handled, reason: str, note: str, error_text: str, fences: tuple[str, str]) -> Commit:
    """Return the COMMIT that moves the event to the dead letters and tells the consumer `error_text`, unless empty."""
    outcome = handled.event.kind == "outcome"
    line = TraceLine("given-up", note=note, level="warning", facts={"reason": reason})
    return Commit(
        fence=fences[0],
        next_fence=fences[1],
        consumed=0 if outcome else 1,
        consumed_result=outcome,
        session_remove=list(handled.session) if handled.event.new_session else [],
        replies=[text_entry(error_text)] if error_text else [],
        receipts=[(receipt, "given-up")] if (receipt := receipt_in(handled.event)) else [],
        dead=[DeadEvent(reason, handled.event.kind, handled.event.body, note)],
        trace=trace_of(handled, [line]),
    )
