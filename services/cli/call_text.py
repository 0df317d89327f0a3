"""What became of one call, for a person and for a program."""

import time
from typing import Any

import msgspec

from services.cli.call_once import Ran
from services.cli.call_values import plain_lines
from services.cli.plain import plain
from shared.bot.integration import Integration
from shared.bot.secret_names import shown_headers
from shared.dialog.events import CallOutcome, SentRequest
from shared.dialog.trace import TraceLine

_LONGEST_BODY = 4000
_LONGEST_VALUE = 300
_SCRIPT = "Transform Result Script"


def as_text(ran: Ran, integration: Integration) -> str:
    """Return what happened, part by part."""
    outcome = ran.outcome
    parts = [_request(outcome), _attempts(outcome), _response(outcome)]
    if integration.transform.strip() and outcome.status:
        parts.append(_script(ran.lines))
    if integration.fields and outcome.status:
        parts.append(["Custom data fields", *(f"  {plain(name)} = {_value(ran.fields[name])}" for name in ran.fields)])
    parts.append([_verdict(ran, integration)])
    return "\n\n".join("\n".join(part) for part in parts if part)


def as_json(ran: Ran, integration: Integration) -> str:
    """Return all of it as one JSON object."""
    outcome = ran.outcome
    told = {
        "integration": integration.name,
        "succeeded": ran.succeeded,
        "status": outcome.status,
        "failure": outcome.failure,
        "detail": outcome.failure_detail or None,
        "request": outcome.request,
        "attempts": [msgspec.to_builtins(one) | {"at": _moment(one.at)} for one in outcome.attempts],
        "response": {"headers": shown_headers(outcome.headers), "body": outcome.body} if outcome.status else None,
        "variables": {name: value for name, _, value in _variables(ran.lines)},
        "fields": ran.fields,
        "warnings": [_warning(line) for line in ran.lines if line.level == "warning"],
    }
    return msgspec.json.format(msgspec.json.encode(told), indent=2).decode()


def _request(outcome: CallOutcome) -> list[str]:
    sent = outcome.request
    if sent is None:
        return []
    return ["Request", f"  {plain(sent.method)} {plain(sent.address)}", *_indented(sent.headers), *_sent_body(sent)]


def _sent_body(sent: SentRequest) -> list[str]:
    return _body(sent.body, sent.cut) if sent.body else []


def _attempts(outcome: CallOutcome) -> list[str]:
    if not outcome.attempts:
        return []
    rows = [
        f"  {number}  {_moment(attempt.at).partition('T')[2]}  {attempt.ms:>9.1f} ms  {plain(attempt.outcome)}"
        + (", with a new token" if attempt.renewed else "")
        + (f", {attempt.sent} requests with its redirects" if attempt.sent > 1 else "")
        for number, attempt in enumerate(outcome.attempts, 1)
    ]
    return ["Attempts", *rows]


def _response(outcome: CallOutcome) -> list[str]:
    if not outcome.status:
        return []
    body = _body(outcome.body, 0) if outcome.body else ["", "  (empty)"]
    return [f"Response {outcome.status}", *_indented(shown_headers(outcome.headers)), *body]


def _script(lines: list[TraceLine]) -> list[str]:
    took = [line.facts.get("ms", 0) for line in lines if line.code == "script"]
    told = [f"{_SCRIPT}, {took[0] if took else 0} ms"]
    for line in lines:
        if line.code == "log":
            told.append(f"  log: {_value(line.values.get('text'))}")
        elif line.level == "warning":
            told.append(f"  ! {plain(_warning(line))}")
    return told + [f"  {plain(name)} ({scope}) = {_value(value)}" for name, scope, value in _variables(lines)]


def _variables(lines: list[TraceLine]) -> list[tuple[str, str, Any]]:
    """Return name, scope and value of what the script has set."""
    named = [(line.note.rpartition(" ("), line.values.get("value")) for line in lines if line.code == "variable"]
    return [(name, scope.rstrip(")"), value) for (name, _, scope), value in named]


def _warning(line: TraceLine) -> str:
    said = line.values.get("error")
    return f"{line.code}: {line.note}" + (f" ({said})" if said else "")


def _verdict(ran: Ran, integration: Integration) -> str:
    outcome = ran.outcome
    success = ", ".join(map(str, integration.policy.success))
    if outcome.failure is not None:
        return f"FAILED {outcome.failure}: {plain(outcome.failure_detail)}."
    if not ran.succeeded:
        return f"FAILED {outcome.status} is no success for this integration (only {success})."
    if ran.script_failed:
        return f"FAILED {outcome.status}, but a script of the bot ended with an error."
    return f"OK {outcome.status}"


def _indented(headers: dict[str, str]) -> list[str]:
    return [f"  {plain(name)}: {plain(value)}" for name, value in headers.items()]


def _body(body: str, cut: int) -> list[str]:
    """Show a body below its headers, JSON on lines of its own, a long one cut."""
    try:
        text = msgspec.json.format(body.encode(), indent=2).decode() if body.lstrip()[:1] in {"{", "["} else body
    except (msgspec.DecodeError, UnicodeEncodeError):
        text = body
    cut += max(len(text) - _LONGEST_BODY, 0)
    lines = [f"  {line}" for line in plain_lines(text[:_LONGEST_BODY].replace("\r\n", "\n")).split("\n")]
    return ["", *lines, *([f"  … ({cut:,} more characters)"] if cut else [])]


def _value(value: Any) -> str:
    """Show a value on one line: text in quotes, anything else as JSON."""
    text = msgspec.json.encode(value).decode() if not isinstance(value, str) else f'"{value}"'
    return plain(text[:_LONGEST_VALUE]) + ("…" if len(text) > _LONGEST_VALUE else "")


def _moment(at: int) -> str:
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(at / 1000))}.{at % 1000:03d}Z"
