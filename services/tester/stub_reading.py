"""Stubs as they are written: what answers instead of an integration's service."""

from typing import Any

import msgspec

from services.tester.marked import Marked
from services.tester.step_reading import duration
from services.tester.suite import FAILURES, ExpectedRequest, Stub, StubAnswer
from shared.bot.values import text_of

_ANSWER = ("status", "json", "body", "headers", "failure", "delay", "request")
_REQUEST = ("method", "path", "url", "query", "headers", "json", "body")


def read_stubs(marked: Marked) -> dict[str, Stub]:
    """Read stubs by the name of their integration. Raises SuiteError."""
    return {name: _stub(value) for name, _, value in marked.entries("stubs")}


def _stub(value: Marked) -> Stub:
    if not value.is_list:
        return Stub(value.place, (_answer(value),), sequence=False)
    answers = tuple(_answer(one) for one in value.items("a stub"))
    if not answers:
        value.fail("the stub has no answers", "Leave it out, or write `- {status: 200, json: {}}`")
    return Stub(value.place, answers, sequence=True)


def _answer(value: Marked) -> StubAnswer:
    keys = value.keys("a stub's answer", _ANSWER)
    failure = keys["failure"].text("failure") if "failure" in keys else None
    if failure is not None and failure not in FAILURES:
        keys["failure"].fail(f"{failure!r} is no failure of a call", f"Failures are: {', '.join(FAILURES)}")
    if failure is not None and keys.keys() & {"status", "json", "body", "headers"}:
        value.fail("a call that fails has no answer", "Keep `failure`, or status, headers, json and body")
    if "json" in keys and "body" in keys:
        value.fail("an answer has either json or a body", "Keep one of them")
    status = keys["status"].whole("status") if "status" in keys else 200
    if not 100 <= status <= 599:
        keys["status"].fail(f"{status} is no HTTP status", "Give one from 100 to 599")
    headers = texts(keys["headers"], "headers") if "headers" in keys else {}
    body = keys["body"].text("body") if "body" in keys else ""
    if "json" in keys:
        headers = {"Content-Type": "application/json"} | headers
        body = msgspec.json.encode(keys["json"].plain()).decode()
    return StubAnswer(
        place=value.place,
        status=0 if failure else status,
        headers=headers,
        body=body,
        failure=failure,
        delay_ms=duration(keys["delay"], "delay") if "delay" in keys else 0,
        request=_request(keys["request"]) if "request" in keys else None,
    )


def _request(value: Marked) -> ExpectedRequest:
    keys = value.keys("request", _REQUEST)
    json: Any = keys["json"].plain() if "json" in keys else msgspec.UNSET
    return ExpectedRequest(
        place=value.place,
        query=texts(keys["query"], "query") if "query" in keys else {},
        headers=texts(keys["headers"], "headers") if "headers" in keys else {},
        json=json,
        **{name: keys[name].text(name) for name in ("method", "path", "url", "body") if name in keys},
    )


def texts(value: Marked, what: str) -> dict[str, str]:
    """Read a mapping whose values become texts."""
    return {name: text_of(one.plain()) for name, _, one in value.entries(what)}
