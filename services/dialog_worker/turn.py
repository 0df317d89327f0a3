"""From what a turn answered to the one COMMIT that stores it. Pure: no I/O, no clock.

Law: what a turn wants done is done by that COMMIT or not at all; limits that are left to check here (design section
4) are checked before it, and a turn that exceeds one is an engine failure.
"""

from collections.abc import Callable, Mapping

import msgspec

from services.dialog_worker.conversation_context import SCOPE, context_fields
from services.dialog_worker.outbox_entry import outbox_entry
from services.dialog_worker.session_fields import changed_fields, session_fields
from shared.dialog.effects import Close, ContextWrite, Effect, ReceiptFact, Reopen, Reply, StartCall, Transfer
from shared.dialog.frames import Answer
from shared.dialog.trace import TraceLine, TurnTrace, without_values
from shared.queue.records import CallRecord, Commit, StoredEvent

SESSION_LIMIT = 4 * 1024 * 1024
EFFECTS_LIMIT = 1024 * 1024
REPLIES_LIMIT = 100
TRACE_LIMIT = 512 * 1024
CALL_QUEUE_MS = 10_000
DEFAULT_BUDGET_MS = 20_000

WriteEncoder = Callable[[ContextWrite], bytes]


class TurnTooLarge(Exception):  # noqa: N818 - what a bot did, not a mistake of the caller
    """A turn wants more than a turn may: its session, its replies or its effects are over the limit."""


class Handled(msgspec.Struct, frozen=True, kw_only=True):
    """The event a turn handled, what was stored before it, and how the turn was run.

    `session` and `context` are the fields stored before. `session_ms` is the length of a session that began, 0 when
    it goes on. `budgets` maps the bot's integrations to ms. `ms` is what all `runs` of the turn took.
    """

    conversation_id: str
    number: int
    event: StoredEvent
    version: str
    session: Mapping[str, bytes]
    context: Mapping[str, bytes]
    session_ms: int = 0
    budgets: Mapping[str, int] = {}
    runs: int = 1
    ms: float = 0
    keep_values: bool = False


def commit_of(handled: Handled, answer: Answer, fences: tuple[str, str], encode: WriteEncoder) -> Commit:
    """Return the COMMIT of a turn; `fences` are this one and the next. Raises TurnTooLarge."""
    if answer.session is None:
        raise TurnTooLarge("The turn answered without a session.")
    fields = session_fields(answer.session)
    changed, dropped = changed_fields(handled.session, fields)
    replies = [entry for entry in map(outbox_entry, answer.effects) if entry is not None]
    elsewhere = [effect for effect in answer.effects if isinstance(effect, ContextWrite) and effect.scope != SCOPE]
    own = [effect for effect in answer.effects if isinstance(effect, ContextWrite) and effect.scope == SCOPE]
    commit = Commit(
        fence=fences[0],
        next_fence=fences[1],
        consumed=0 if handled.event.kind == "outcome" else 1,
        consumed_result=handled.event.kind == "outcome",
        session=changed,
        session_remove=dropped,
        replies=replies,
        asks=any(isinstance(effect, Reply) and effect.asks for effect in answer.effects),
        status=_status(answer.effects),
        call=_call(handled, answer.effects),
        writes=[encode(effect) for effect in elsewhere],
        context=context_fields(own, handled.context, now=handled.event.at),
        trace=trace_of(handled, answer.trace),
        session_ms=handled.session_ms,
        receipts=[(effect.receipt, effect.fact) for effect in answer.effects if isinstance(effect, ReceiptFact)],
    )
    _check(commit, sum(map(len, fields.values())))
    return commit


def trace_of(handled: Handled, lines: list[TraceLine]) -> bytes:
    """Return the trace of a turn as JSON, without values unless they are wanted and fit."""
    trace = TurnTrace(
        turn=handled.number,
        at=handled.event.at,
        event=handled.event.kind,
        version=handled.version,
        ms=round(handled.ms, 3),
        runs=handled.runs,
        lines=lines,
    )
    if handled.keep_values:
        encoded = msgspec.json.encode(trace)
        if len(encoded) <= TRACE_LIMIT:
            return encoded
    encoded = msgspec.json.encode(msgspec.structs.replace(trace, lines=without_values(lines)))
    if len(encoded) <= TRACE_LIMIT:
        return encoded
    note = TraceLine("refused", note="The trace of this turn was too long to keep.", level="warning")
    return msgspec.json.encode(msgspec.structs.replace(trace, lines=[note]))


def _status(effects: list[Effect]) -> str:
    """Return the status that the turn leaves the conversation with, empty for the one it had."""
    status = ""
    for effect in effects:
        match effect:
            case Close():
                status = "closed"
            case Transfer():
                status = "transferred"
            case Reopen():
                status = "open"
            case _:
                pass
    return status


def _call(handled: Handled, effects: list[Effect]) -> CallRecord | None:
    started = [effect for effect in effects if isinstance(effect, StartCall)]
    if not started:
        return None
    call = started[-1]
    return CallRecord(
        id=f"{handled.conversation_id}.{handled.number}",
        integration_id=call.integration_id,
        version=handled.version,
        values=msgspec.msgpack.encode(call.values),
        queue_ms=CALL_QUEUE_MS,
        budget_ms=handled.budgets.get(call.integration_id, DEFAULT_BUDGET_MS),
    )


def _check(commit: Commit, session_size: int) -> None:
    effects = [*commit.replies, *commit.writes, *(field.value or b"" for field in commit.context)]
    if commit.call is not None:
        effects.append(commit.call.values)
    if session_size > SESSION_LIMIT:
        raise TurnTooLarge(f"The session would have {session_size} bytes: the limit is {SESSION_LIMIT}.")
    if len(commit.replies) > REPLIES_LIMIT:
        raise TurnTooLarge(f"The turn has {len(commit.replies)} replies: the limit is {REPLIES_LIMIT}.")
    if (size := sum(map(len, effects))) > EFFECTS_LIMIT:
        raise TurnTooLarge(f"The effects of the turn have {size} bytes: the limit is {EFFECTS_LIMIT}.")
