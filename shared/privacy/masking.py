"""Masking of traces: what is sensitive by its name, and everywhere else the same values again.

A bot copies: a card number stands in the variable, in the text that shows it, in the answer of an API and in the log of
a script. So the values of all sensitive variables of a turn are looked for in all values of its trace, as they are, as
they stand in JSON and in an address. One of fewer than four characters is masked only where it stands alone. When
there are too many to look for, all values of the trace are masked.
"""

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus

import msgspec

from shared.bot.values import text_of
from shared.dialog.events import Event, WebViewCall
from shared.dialog.session import Session
from shared.dialog.trace import TraceLine
from shared.privacy.naming import Sensitive

MASK = "•••"
_SHORTEST = 4
_MOST_FORMS = 1000
_SAYS_NOTHING = frozenset({"", "true", "false", "null", "undefined"})


def masked(lines: list[TraceLine], sensitive: Sensitive, values: Iterable[Any]) -> list[TraceLine]:
    """Return the lines of a turn, masked; `values` are those of its sensitive variables, of any JSON type."""
    mask = _Mask(sensitive, [*values, *written_values(lines, sensitive)])
    return [mask.line(line) if line.values else line for line in lines]


def sensitive_values(
    sensitive: Sensitive, event: Event, sessions: Iterable[Session | None], context: Iterable[dict[str, Any]]
) -> list[Any]:
    """Return the values that sensitive variables had before and after a turn, or that came with its event."""
    values = sensitive.among(event.variables) if isinstance(event, WebViewCall) else []
    for session in sessions:
        if session is not None:
            frames = (frame.variables for frame in session.position.stack)
            scopes = (session.request, session.session, session.forever, session.web_view, session.results, *frames)
            values += [value for scope in scopes for value in sensitive.among(scope)]
    return values + [value for space in context for value in sensitive.among(space)]


def written_values(lines: Iterable[TraceLine], sensitive: Sensitive) -> list[Any]:
    """Return what was written into sensitive variables in the course of a turn."""
    written = (line for line in lines if line.code == "variable")
    return [line.values.get("value") for line in written if sensitive.matches(_named(line))]


def _named(line: TraceLine) -> str:
    return line.note.rpartition(" (")[0]


class _Mask:
    def __init__(self, sensitive: Sensitive, values: Iterable[Any]) -> None:
        self._sensitive = sensitive
        texts = {text.strip() for value in values for text in _leaves(value)} - _SAYS_NOTHING
        self._whole = texts
        written = {form for text in texts if len(text) >= _SHORTEST for form in _forms(text)}
        self._parts = sorted(written, key=len, reverse=True)  # a longer one may hold a shorter one
        self._all = len(written) > _MOST_FORMS

    def line(self, line: TraceLine) -> TraceLine:
        """Return a line with its values masked."""
        if self._all or (line.code == "variable" and self._sensitive.matches(_named(line))):
            return msgspec.structs.replace(line, values=dict.fromkeys(line.values, MASK))
        return msgspec.structs.replace(line, values=self._value(msgspec.to_builtins(line.values)))

    def _value(self, value: Any) -> Any:
        match value:
            case str():
                return self._text(value)
            case bool() | None:
                return value
            case int() | float():
                return MASK if text_of(value) in self._whole else value
            case list():
                return [self._value(item) for item in value]
            case dict():
                return {
                    self._text(name): MASK if self._sensitive.matches(name) else self._value(item)
                    for name, item in value.items()
                }
            case _:
                return MASK

    def _text(self, text: str) -> str:
        if text.strip() in self._whole:
            return MASK
        for part in self._parts:
            if part in text:
                text = text.replace(part, MASK)
        return text


def _leaves(value: Any) -> Iterable[str]:
    """Yield the texts in a value, also those in JSON that is text, as the body of an answer is."""
    match value:
        case str():
            yield value
            if value.lstrip()[:1] in {"{", "["}:
                try:
                    yield from _leaves(msgspec.json.decode(value))
                except (msgspec.DecodeError, RecursionError):
                    return
        case bool() | None:
            return
        case int() | float():
            yield text_of(value)
        case list():
            for item in value:
                yield from _leaves(item)
        case dict():
            for item in value.values():
                yield from _leaves(item)
        case _:
            return


def _forms(text: str) -> set[str]:
    """Return how a text is written by itself, in JSON, in JSON that stands in JSON, and in an address."""
    inside = msgspec.json.encode(text).decode()[1:-1]
    twice = msgspec.json.encode(inside).decode()[1:-1]
    return {text, inside, twice, quote(text, safe=""), quote(text), quote_plus(text)}
