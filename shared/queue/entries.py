"""How the mailbox' Lua writes things down, read back: headers separated by `|`, answers as flat lists."""

from collections.abc import Iterable, Sequence
from typing import Any

from shared.queue.records import (
    Batch,
    CallStarted,
    Commit,
    Committed,
    Ingested,
    StoredEvent,
    Told,
    WebViewTerms,
)
from shared.store import keys

DELETED = -1


def event(entry: bytes, *, session_missing: bool = False) -> StoredEvent:
    """Read `kind|sequence|at|new_session|flags|body` (1 late, 2 busy); a missing session counts as the stamp."""
    kind, sequence, at, new_session, flags, body = entry.split(b"|", 5)
    return StoredEvent(
        kind=kind.decode(),
        sequence=int(sequence),
        at=int(at),
        new_session=session_missing or new_session == b"1",
        late=bool(int(flags) & 1),
        busy=bool(int(flags) & 2),
        body=body,
    )


def message(entry: bytes) -> tuple[int, int, bytes]:
    """Read `sequence|at|JSON`."""
    sequence, at, body = entry.split(b"|", 2)
    return int(sequence), int(at), body


def told(data: bytes) -> Told:
    """Read `id`, or `id|sequence before` and for each message `|length|sequence|at|JSON` (see _outbox.lua)."""
    conversation_id, _, rest = data.partition(b"|")
    if not rest:
        return Told(conversation_id.decode())
    after, _, rest = rest.partition(b"|")
    messages = []
    while rest:
        length, _, rest = rest.partition(b"|")
        messages.append(message(rest[: int(length)]))
        rest = rest[int(length) + 1 :]
    return Told(conversation_id.decode(), int(after), messages)


def trace(entry: bytes) -> tuple[int, bytes]:
    """Read `turn|JSON`."""
    turn, body = entry.split(b"|", 1)
    return int(turn), body


def ingested(answer: Sequence[Any]) -> Ingested:
    """Read INGEST's answer."""
    if answer[0] == b"gone":
        return Ingested(outcome="gone")
    outcome, sequence, at, late, receipt = answer
    return Ingested(outcome.decode(), sequence, at, bool(late), receipt.decode())


def web_view_terms(
    conversation_id: str, stamp: str, terms: WebViewTerms
) -> tuple[tuple[str, ...], tuple[str | int, ...]]:
    """Return what INGEST expects of a Web View call, in KEYS from 17 and in ARGV from 9 on."""
    receipt = terms.receipt or keys.new_receipt_id(conversation_id)
    places = (
        keys.posted(conversation_id, stamp),
        keys.taken(conversation_id),
        keys.receipt(receipt),
        keys.receipts(conversation_id),
        keys.used(conversation_id, terms.once),
        keys.origins(keys.shard_of(conversation_id), terms.bot_id),
    )
    authorized = (terms.till, int(terms.once != ""), int(terms.origin is not None), terms.origin or "")
    return places, (terms.rate, receipt, terms.variables, *authorized)


def batch(fence: str, answer: Sequence[Any]) -> Batch:
    """Read BEGIN's answer `running`."""
    bot, user, channel, profile, status, turn, tries, asked, now, session, context, writes, seal, *work = answer[1:]
    result, events = _work(*work)
    return Batch(
        fence=fence,
        bot_id=bot.decode(),
        user_id=user.decode(),
        channel=channel.decode(),
        profile=profile,
        status=status.decode(),
        turn=turn,
        tries=tries,
        asked=asked,
        session={name.decode(): value for name, value in _pairs(session)},
        context=_unexpired(context, now),
        events=events,
        result=result,
        writes=writes,
        now=now,
        seal=seal,
    )


def committed(answer: Sequence[Any]) -> Committed:
    """Read the answer of COMMIT and RELEASE."""
    if len(answer) == 1:
        return Committed(state=answer[0].decode())
    state, asked, turn, writes, *work = answer
    result, events = _work(*work)
    return Committed(state=state.decode(), asked=asked, turn=turn, events=events, result=result, writes=writes)


def call_started(answer: Sequence[Any]) -> CallStarted:
    """Read START's answer."""
    if len(answer) == 1:
        return CallStarted(outcome=answer[0].decode())
    outcome, attempts, left_ms, interrupted, integration, version, values, ended, seal = answer
    return CallStarted(
        outcome=outcome.decode(),
        attempts=attempts,
        left_ms=left_ms,
        integration_id=integration.decode(),
        version=version.decode(),
        values=values,
        interrupted=bool(interrupted),
        ended=ended,
        seal=seal,
    )


def commit_arguments(commit: Commit, trace_ttl_ms: int) -> list[Any]:
    """Return what COMMIT expects from ARGV[8] on (see commit.lua)."""
    call = commit.call
    return [
        commit.consumed,
        int(commit.consumed_result),
        int(commit.asks),
        commit.status,
        commit.session_ms,
        commit.turns,
        commit.trace,
        trace_ttl_ms,
        *(
            (call.id, call.integration_id, call.version, call.values, call.queue_ms, call.budget_ms)
            if call is not None
            else ("", "", "", "", 0, 0)
        ),
        *_list(commit.session.items()),
        *_list((name,) for name in commit.session_remove),
        *_list((reply,) for reply in commit.replies),
        *_list((write,) for write in commit.writes),
        *_list(
            (field.field, b"", DELETED) if field.value is None else (field.field, field.value, field.expires_at)
            for field in commit.context
        ),
        *_list((dead.reason, dead.kind, dead.body, dead.note) for dead in commit.dead),
        *_list(commit.receipts),
    ]


def _list(rows: Iterable[Sequence[Any]]) -> list[Any]:
    entries = list(rows)
    return [len(entries), *(value for row in entries for value in row)]


def _pairs(flat: Sequence[bytes]) -> Iterable[tuple[bytes, bytes]]:
    return zip(flat[::2], flat[1::2], strict=True)


def _work(missing: int, result: bytes | None, events: Sequence[bytes]) -> tuple[StoredEvent | None, list[StoredEvent]]:
    if result is not None:
        return event(result, session_missing=bool(missing)), []
    # only the first event starts the session that is missing; the others go on in it
    return None, [event(entry, session_missing=bool(missing) and i == 0) for i, entry in enumerate(events)]


def _unexpired(flat: Sequence[bytes], now: int) -> dict[str, bytes]:
    found = {}
    for name, entry in _pairs(flat):
        expires_at, value = entry.split(b"|", 1)
        if int(expires_at) == 0 or int(expires_at) > now:
            found[name.decode()] = value
    return found
