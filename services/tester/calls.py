"""Calls that nobody makes: stubs answer them under the integration's own policy, on a clock that only counts."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from services.tester.marked import Place
from services.tester.suite import ExpectedRequest, Stub, StubAnswer
from shared.bot.integration import Integration, Policy
from shared.bot.values import text_of
from shared.dialog.events import Attempt, CallOutcome
from shared.integration.filling import InvalidRequest
from shared.integration.policy import Ending, Retry, decide
from shared.integration.request import Request, render_request
from shared.integration.response import retry_after
from shared.integration.url import without_query

_JITTER = 0.5


class Unexpected(Exception):  # noqa: N818 - what the bot did is not what its test says
    """A step fails: where, why, and what was expected and found, line by line."""

    def __init__(self, sentence: str, place: Place | None = None, expected: str = "", heard: str = "") -> None:
        super().__init__(sentence)
        self.place = place
        self.expected = expected
        self.heard = heard


class Answering(Protocol):
    """What answers the attempts of one call."""

    def next(self) -> StubAnswer:
        """Return the answer of the next attempt. Raises Unexpected when there is none."""


class StubBook:
    """The stubs of one test, by the name of their integration; it counts the calls."""

    def __init__(self, stubs: Mapping[str, Stub]) -> None:
        self.stubs = stubs
        self._calls: Counter[str] = Counter()

    def call(self, integration: Integration) -> Answering:
        """Begin a call. Raises Unexpected when nothing answers for it."""
        stub = self.stubs.get(integration.name)
        if stub is None:
            known = f" The test has stubs for: {', '.join(self.stubs)}." if self.stubs else ""
            raise Unexpected(
                f"the integration {integration.name!r} is called and has no stub: write below `stubs:` "
                f"`{integration.name}: {{status: 200, json: {{…}}}}`.{known}"
            )
        return StubbedCall(self, integration.name, stub)

    def take(self, name: str, stub: Stub) -> StubAnswer | None:
        """Return the next answer, None when there is no more."""
        at = self._calls[name] if stub.sequence else 0
        self._calls[name] += 1
        return stub.answers[at] if at < len(stub.answers) else None


class StubbedCall:
    """The answers for the attempts of one call; the last one repeats over the call's further attempts."""

    def __init__(self, book: StubBook, name: str, stub: Stub) -> None:
        self._book = book
        self._name = name
        self._stub = stub
        self._last: StubAnswer | None = None

    def next(self) -> StubAnswer:
        """Return the answer of the next attempt. Raises Unexpected when the stub has no more."""
        answer = self._book.take(self._name, self._stub) or self._last
        if answer is None:
            count = len(self._stub.answers)
            raise Unexpected(
                f"the integration {self._name!r} is called once more than its stub has answers ({count}): add one, or "
                f"write the answer without `- ` to give it to every call",
                self._stub.place,
            )
        self._last = answer
        return answer


def make_call(
    book: StubBook, call_id: str, integration: Integration, values: dict[str, Any], at: int
) -> tuple[CallOutcome, int]:
    """Return what becomes of a call, and how many milliseconds it takes. Raises Unexpected."""
    call = book.call(integration)
    try:
        request = render_request(integration, values)
    except InvalidRequest as error:
        return CallOutcome(call_id, failure="invalid", failure_detail=str(error), method=integration.method), 0
    policy, left, attempts = integration.policy, integration.policy.total_timeout, list[Attempt]()
    while True:
        answer = call.next()
        check_request(answer.request, request)
        ending, spent = _attempt(answer, policy, left)
        passed = round((policy.total_timeout - left) * 1000)
        attempts.append(Attempt(at + passed, round(spent * 1000, 1), ending.failure or str(ending.status)))
        left -= spent
        decision = decide(policy, request.method, len(attempts), ending, left, _JITTER)
        if not isinstance(decision, Retry):
            break
        left -= decision.after
    outcome = CallOutcome(
        call_id,
        status=ending.status,
        headers=answer.headers if ending.failure is None else {},
        body=answer.body if ending.failure is None else "",
        failure=ending.failure,
        failure_detail=ending.detail,
        attempts=attempts,
        method=request.method,
        address=without_query(request.url),
    )
    return outcome, round((policy.total_timeout - left) * 1000)


def _attempt(answer: StubAnswer, policy: Policy, left: float) -> tuple[Ending, float]:
    """Return how an attempt ends and the seconds it takes."""
    limit = left if policy.attempt_timeout is None else min(left, policy.attempt_timeout)
    delay = answer.delay_ms / 1000
    if answer.failure == "timeout" or delay > limit:
        return Ending(failure="timeout", detail="the answer did not come in time"), limit
    if answer.failure is not None:
        return Ending(failure=answer.failure, detail="as the stub of the test says"), delay
    found = {name.lower(): value for name, value in answer.headers.items()}
    wait = retry_after(found.get("retry-after"), found.get("date"))
    return Ending(answer.status, retry_after=wait), delay


def check_request(expected: ExpectedRequest | None, request: Request) -> None:
    """Compare a request with what a stub expects. Raises Unexpected with the first difference."""
    if expected is None:
        return
    parts = urlsplit(request.url)
    _same(expected, "method", expected.method and expected.method.upper(), request.method)
    _same(expected, "path", expected.path, unquote(parts.path))
    _same(expected, "url", expected.url, request.url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    for name, value in expected.query.items():
        _same(expected, f"query parameter {name}", value, query.get(name))
    for name, value in expected.headers.items():
        _same(expected, f"header {name}", value, request.header(name))
    body = (request.body or b"").decode(errors="replace")
    _same(expected, "body", expected.body, body)
    if expected.json is not msgspec.UNSET:
        try:
            found = msgspec.json.decode(body)
        except msgspec.DecodeError:
            raise Unexpected(
                "the body of the request is not JSON", expected.place, pretty(expected.json), body
            ) from None
        if found != expected.json:
            raise Unexpected("the request has another body", expected.place, pretty(expected.json), pretty(found))


def _same(expected: ExpectedRequest, what: str, wanted: str | None, found: str | None) -> None:
    if wanted is None or wanted == found:
        return
    heard = "(there is none)" if found is None else found
    raise Unexpected(f"the request has another {what}", expected.place, wanted, heard)


def pretty(value: Any) -> str:
    """Show a JSON value on lines of its own."""
    if isinstance(value, dict | list):
        return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    return text_of(value)
