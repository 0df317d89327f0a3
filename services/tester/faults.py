"""What can become of a service: each fault turns the answer a stub would give into a worse one. Pure."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from services.tester.suite import StubAnswer
from shared.bot.integration import Policy

MARKER: Final = "chaos-7b1e"
"""Stands in the bodies of errors: what a consumer sees of it is raw."""
_JUST_MS = 100
_JSON = "application/json"
_PAGE = (
    "<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1><p>"
    f"{MARKER}</p></body></html>"
)
_ERROR = f'{{"error": {{"code": "internal", "message": "java.lang.NullPointerException {MARKER}"}}}}'

Worse = Callable[[StubAnswer, Policy], StubAnswer | None]


class Fault(msgspec.Struct, frozen=True):
    """A fault: its name, what the service does then, and how an answer becomes so; None: this answer cannot."""

    name: str
    about: str
    worse: Worse


def _slow(answer: StubAnswer, policy: Policy, more_ms: int) -> StubAnswer:
    limit = policy.total_timeout if policy.attempt_timeout is None else policy.attempt_timeout
    return msgspec.structs.replace(answer, delay_ms=max(round(limit * 1000) + more_ms, 0))


def _failing(failure: str) -> Worse:
    def worse(answer: StubAnswer, _: Policy) -> StubAnswer:
        return StubAnswer(answer.place, status=0, failure=failure)

    return worse


def _answering(status: int, body: str, **headers: str) -> Worse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    def worse(answer: StubAnswer, _: Policy) -> StubAnswer:
        return StubAnswer(answer.place, status, named, body)

    return worse


def _truncated(answer: StubAnswer, policy: Policy) -> StubAnswer | None:
    if _content(answer, policy) is msgspec.UNSET:
        return None
    return msgspec.structs.replace(answer, body=answer.body[: len(answer.body) // 2])


def _remade(remake: Callable[[Any], Any]) -> Worse:
    """Return a fault that changes the content of a JSON answer; what it leaves as it was is no fault."""

    def worse(answer: StubAnswer, policy: Policy) -> StubAnswer | None:
        content = _content(answer, policy)
        if content is msgspec.UNSET:
            return None
        made = remake(content)
        return None if made == content else msgspec.structs.replace(answer, body=msgspec.json.encode(made).decode())

    return worse


def _content(answer: StubAnswer, policy: Policy) -> Any:
    """Return the JSON of an answer that is a success, UNSET when it has none."""
    if answer.failure is not None or answer.status not in policy.success:
        return msgspec.UNSET
    try:
        return msgspec.json.decode(answer.body)
    except msgspec.DecodeError:
        return msgspec.UNSET


def _texts_for_objects(content: Any) -> Any:
    """Put a text in place of every object below the top."""

    def inner(value: Any) -> Any:
        if isinstance(value, dict):
            return "text"
        return [inner(one) for one in value] if isinstance(value, list) else value

    if isinstance(content, dict):
        return {name: inner(value) for name, value in content.items()}
    return inner(content)


def _empty_lists(content: Any) -> Any:
    match content:
        case list():
            return []
        case dict():
            return {name: _empty_lists(value) for name, value in content.items()}
        case _:
            return content


def _nulls(content: Any) -> Any:
    """Put null in place of every value that is no object and no list."""
    match content:
        case list():
            return [_nulls(value) for value in content]
        case dict():
            return {name: _nulls(value) for name, value in content.items()}
        case _:
            return None


def _missing(content: Any) -> Any:
    return [] if isinstance(content, list) else {}


def _other(content: Any) -> Any:
    return {} if isinstance(content, list) else []


FAULTS: Final = (
    Fault("slow", "answers just before its time is over", lambda answer, policy: _slow(answer, policy, -_JUST_MS)),
    Fault("too-slow", "answers just after its time is over", lambda answer, policy: _slow(answer, policy, _JUST_MS)),
    Fault("never", "never answers", _failing("timeout")),
    Fault("lost", "breaks the connection", _failing("lost")),
    Fault("429", "answers 429 with Retry-After", _answering(429, _ERROR, Content_Type=_JSON, Retry_After="1")),
    Fault("500", "answers 500", _answering(500, _ERROR, Content_Type=_JSON)),
    Fault("truncated", "sends half of its JSON", _truncated),
    Fault("html", "sends a page instead of JSON, with 200", _answering(200, _PAGE, Content_Type="text/html")),
    Fault("empty", "sends nothing, with 200", _answering(200, "", Content_Type=_JSON)),
    Fault("no-content", "answers 204", _answering(204, "")),
    Fault("text-for-objects", "sends a text where objects were", _remade(_texts_for_objects)),
    Fault("empty-lists", "sends empty lists", _remade(_empty_lists)),
    Fault("null-fields", "sends null in every field", _remade(_nulls)),
    Fault("no-fields", "sends an object or a list with nothing in it", _remade(_missing)),
    Fault("other-type", "sends a list where an object was, or the other way round", _remade(_other)),
)
