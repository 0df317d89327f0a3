"""The variables of a Web View call: the one place where they are read, and told from what cannot be kept.

CB's shape is a list of `{name, value}` texts. What forms send besides is taken as well: a plain object, and values
that are numbers, booleans, null, lists and objects, which become text as scripts see it.
"""

from typing import Any

import msgspec

from services.gateway.errors import Refused
from services.gateway.wire import Ignored
from shared.bot.storable import storable
from shared.bot.values import text_of

_FIELD = "contextVariables"
MOST_ENTRIES = 20_000
"""In lists and objects of one call: to make texts of a million small ones would hold up the gateway for others."""


class Caps(msgspec.Struct, frozen=True):
    """How many variables a call may bring, and of how many bytes each name and each value."""

    count: int
    size: int


def read_variables(
    given: list[Any] | dict[str, Any] | None, caps: Caps, allowed: frozenset[str] | None = None
) -> tuple[dict[str, str], list[Ignored]]:
    """Return variables as text, and the entries that could not be taken. A name given twice has its last value.

    `allowed` are the names that a capability is for, None for any. Raises Refused beyond a cap: a call that is taken
    in part would look whole to its form.
    """
    variables: dict[str, str] = {}
    ignored: list[Ignored] = []
    entries, room = given or [], MOST_ENTRIES
    if len(entries) > caps.count:
        message = f"A call brings at most {caps.count} variables: send fewer, or raise BOTLANE_WEB_VIEW_VARIABLES."
        raise Refused("too_large", message, field=_FIELD)
    if isinstance(entries, dict):
        entries = [{"name": name, "value": value} for name, value in entries.items()]
    for index, entry in enumerate(entries):
        reason = _fault(entry, allowed)
        if reason is None:
            _refuse_large(entry["name"], f"{_FIELD}[{index}].name", caps.size)
            room -= _entries(entry["value"], room)
            if room < 0:
                message = f"The lists and objects of a call have at most {MOST_ENTRIES:,} entries together: send fewer."
                raise Refused("too_large", message, field=f"{_FIELD}[{index}].value")
            try:
                variables[entry["name"]] = _text(entry["value"])
            except ValueError as error:
                reason = f"the value cannot be used: {error}"
            else:
                _refuse_large(variables[entry["name"]], f"{_FIELD}[{index}].value", caps.size)
        if reason is not None:
            ignored.append(Ignored(index, reason))
    return variables, ignored


def _text(value: Any) -> str:
    """Return a value as text. Raises ValueError when it cannot be carried."""
    storable(value)  # the text keeps every digit
    return text_of(value)


def _refuse_large(text: str, field: str, size: int) -> None:
    if len(text.encode()) > size:
        limit = f"{size // 1024} KiB" if size % 1024 == 0 else f"{size} bytes"
        message = f"A variable has at most {limit}: send less, or raise BOTLANE_WEB_VIEW_VARIABLE_SIZE."
        raise Refused("too_large", message, field=field)


def _entries(value: Any, most: int) -> int:
    """Return how many entries lists and objects have, those inside them included; no more are counted than needed."""
    found, inside = 0, [value]
    while inside and found <= most:
        one = inside.pop()
        if isinstance(one, list | dict):
            found += len(one)
            if found <= most:
                inside += one.values() if isinstance(one, dict) else one
    return found


def _fault(entry: Any, allowed: frozenset[str] | None) -> str | None:
    """Say what keeps an entry from being a variable, None when nothing does."""
    if not isinstance(entry, dict):
        return "the entry is not an object"
    if "name" not in entry:
        return "the name is missing"
    if not isinstance(entry["name"], str):
        return "the name is not text"
    if not entry["name"].strip():
        return "the name is empty"
    if "value" not in entry:
        return "the value is missing"
    if allowed is not None and entry["name"] not in allowed:
        return "the token is not for this name: getWebViewToken({variables: […]}) lists those it is for"
    return None
