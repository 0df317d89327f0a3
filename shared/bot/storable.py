"""JSON values of strangers (consumers, APIs, authors), made such that every part of the system can carry them.

JSON has numbers of any length and nests without end; a session, a frame and a script have not.
"""

import re
from typing import Any

import msgspec

LEVELS = 64
_LONG_NUMBER = re.compile(r"\d{19}")
_UNSAFE_NUMBER = re.compile(r"\d{16}")
_SAFE = 2**53 - 1  # what JavaScript tells from its neighbours


def storable(value: Any, levels: int = LEVELS) -> Any:
    """Return a JSON value with whole numbers beyond 64 bits as the fractional ones they are in JavaScript.

    Raises ValueError when it is nested deeper than `levels`.
    """
    match value:
        case bool():
            return value
        case int() if not -(2**63) <= value < 2**63:
            return _fractional(value)
        case list() | dict() if levels == 0:
            raise ValueError(f"it is nested deeper than {LEVELS} levels")
        case list():
            return [storable(entry, levels - 1) for entry in value]
        case dict():
            return {name: storable(entry, levels - 1) for name, entry in value.items()}
        case _:
            return value


def read_json(text: str) -> Any:
    """Return the storable value of JSON text. Raises ValueError when it is no JSON or nested too deeply."""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError("it is not JSON, or nested too deeply") from error
    if text.count("[") + text.count("{") > LEVELS or _LONG_NUMBER.search(text):
        return storable(value)
    return value


def read_exactly(text: str) -> Any:
    """Return the value of JSON text, whole numbers that JavaScript would round as their digits. Raises ValueError."""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError("it is not JSON, or nested too deeply") from error
    if text.count("[") + text.count("{") > LEVELS:
        storable(value)
    return _exact(value) if _UNSAFE_NUMBER.search(text) else value


def _exact(value: Any) -> Any:
    match value:
        case bool():
            return value
        case int() if not -_SAFE <= value <= _SAFE:
            return str(value)
        case list():
            return [_exact(entry) for entry in value]
        case dict():
            return {name: _exact(entry) for name, entry in value.items()}
        case _:
            return value


def _fractional(number: int) -> float | None:
    try:
        return float(number)
    except OverflowError:
        return None  # as JSON.stringify writes Infinity
