"""From an answer to its COMMIT: what the consumer sees, what is stored, what is left out."""

import json
from typing import Any

import msgspec
import pytest

from services.dialog_worker.conversation_context import apply_fields, context_fields, read_context
from services.dialog_worker.session_fields import changed_fields, read_session, session_fields
from services.dialog_worker.turn import CALL_QUEUE_MS, TRACE_LIMIT, Handled, TurnTooLarge, commit_of
from shared.dialog.effects import Close, ContextWrite, Effect, Reopen, Reply, StartCall, Transfer
from shared.dialog.frames import Answer
from shared.dialog.session import Frame, Position, Session
from shared.dialog.trace import TraceLine
from shared.queue.records import Commit, ContextField, StoredEvent

EVENT = StoredEvent("message", 4, 1_795_000_000_000, new_session=False, late=False, body=b"{}")
SESSION = Session("v1")


def handled(**changes: Any) -> Handled:
    usual = {"conversation_id": "0-a", "number": 7, "event": EVENT, "version": "v1", "session": {}, "context": {}}
    return Handled(**{**usual, **changes})


def commit(*effects: Effect, trace: list[TraceLine] | None = None, **changes: Any) -> Commit:
    answer = Answer(SESSION, list(effects), trace or [])
    return commit_of(handled(**changes), answer, ("now", "next"), lambda write: write.namespace.encode())


def seen(*effects: Effect) -> list[dict[str, Any]]:
    return [json.loads(entry) for entry in commit(*effects).replies]


def test_replies_are_messages_in_the_shape_of_the_contract() -> None:
    card = {"type": "vertical", "elements": []}
    chips = {"type": "quickReplies", "replies": []}
    assert seen(
        Reply(text="hello"),
        Reply(content=card, quick_replies=chips, delay_ms=300),
        Transfer("One moment.", skill_id="12"),
        Close(survey=True),
    ) == [
        {"from": "bot", "type": "text", "text": "hello"},
        {"from": "bot", "type": "rich", "content": card, "quickReplies": chips, "delayMs": 300},
        {"from": "system", "type": "transfer", "text": "One moment."},
        {"from": "system", "type": "closed"},
    ]


@pytest.mark.parametrize(
    ("effects", "status"),
    [
        ([], ""),
        ([Reply(text="x")], ""),
        ([Transfer()], "transferred"),
        ([Close(survey=False)], "closed"),
        ([Reopen()], "open"),
        ([Reopen(), Transfer()], "transferred"),
    ],
)
def test_the_last_effect_that_changes_the_status_decides(effects: list[Effect], status: str) -> None:
    assert commit(*effects).status == status


def test_an_event_of_the_inbox_and_the_outcome_of_a_call_are_consumed_where_they_are() -> None:
    outcome = StoredEvent("outcome", 4, EVENT.at, new_session=False, late=False, body=b"{}")
    assert (commit().consumed, commit().consumed_result) == (1, False)
    assert (commit(event=outcome).consumed, commit(event=outcome).consumed_result) == (0, True)


def test_a_call_is_named_after_its_turn_and_has_its_integrations_budget() -> None:
    call = commit(StartCall("i", {"{$x}": [1]}), budgets={"i": 5000}).call
    assert call is not None
    assert (call.id, call.version, call.queue_ms, call.budget_ms) == ("0-a.7", "v1", CALL_QUEUE_MS, 5000)
    assert msgspec.msgpack.decode(call.values) == {"{$x}": [1]}


def test_data_of_the_conversation_are_stored_with_it_and_the_rest_goes_elsewhere() -> None:
    made = commit(ContextWrite("conversation", "own", "a", "1"), ContextWrite("user", "other", "b", "2"))
    assert made.context == [ContextField("own|a", b"1")]
    assert made.writes == [b"other"]


def test_only_the_changed_fields_of_a_session_are_stored() -> None:
    before = session_fields(Session("v1", Position(question="q"), session={"a": 1}, web_view={"b": "c"}))
    after = session_fields(Session("v1", session={"a": 2}, web_view={"b": "c"}))
    changed, dropped = changed_fields(before, after)
    assert set(changed) == {"session"}
    assert dropped == ["position"]


def test_a_session_survives_its_fields() -> None:
    session = Session(
        "v1",
        Position([Frame("d", "i", {"x": None})], question="i", metadata=[{"a": 1}]),
        request={"n": 1.5, "list": [True, None]},
        forever={"f": {"deep": ["er"]}},
        web_view={"w": "v"},
    )
    assert read_session(session_fields(session)) == session


@pytest.mark.parametrize("fields", [{}, {"session": b"\x80"}, {"version": b"\xa1v", "position": b"\xc1"}])
def test_what_is_no_session_is_none(fields: dict[str, bytes]) -> None:
    assert read_session(fields) is None


def test_fields_of_another_release_are_left_out() -> None:
    assert read_session({**session_fields(SESSION), "unheard_of": b"\xc1"}) == SESSION


def test_context_names_may_hold_any_character() -> None:
    fields = context_fields([ContextWrite("conversation", "a|b", "c|d é", '"v"')], [], now=0)
    stored: dict[str, bytes] = {}
    apply_fields(stored, fields)
    assert read_context(stored) == {"conversation|a|b": {"c|d é": "v"}}


def test_context_writes_expire_so_long_after_the_event() -> None:
    [kept, passing] = context_fields(
        [ContextWrite("conversation", "n", "a", "1"), ContextWrite("conversation", "n", "b", "1", ttl_ms=50)], [], now=7
    )
    assert (kept.expires_at, passing.expires_at) == (0, 57)


def test_deleting_a_namespace_names_what_is_stored_and_what_was_just_written() -> None:
    writes = [ContextWrite("conversation", "n", "new", "1"), ContextWrite("conversation", "n", None, None)]
    written = context_fields(writes, ["n|old", "other|x"], now=0)
    assert {field.field: field.value for field in written} == {"n|old": None, "n|new": None}


def test_values_that_make_a_trace_too_long_are_dropped_even_for_the_console() -> None:
    long = TraceLine("log", note="kept", values={"text": "x" * TRACE_LIMIT})
    trace = json.loads(commit(trace=[long], keep_values=True).trace)
    assert trace["lines"] == [{"code": "log", "note": "kept"}]


def test_a_trace_of_too_many_lines_says_so() -> None:
    trace = json.loads(commit(trace=[TraceLine("log", note="x" * 1000)] * 1000).trace)
    assert [line["code"] for line in trace["lines"]] == ["refused"]


def test_an_answer_without_a_session_is_refused() -> None:
    with pytest.raises(TurnTooLarge):
        commit_of(handled(), Answer(), ("now", "next"), lambda _: b"")
