"""Values of variables: JSON values, and the text JavaScript would make of them (design section 4, "Types")."""

import math
from typing import Any

import msgspec


def text_of(value: Any) -> str:
    """Return the text a template shows for a JSON value.

    Numbers and booleans by JavaScript's `String`, None as empty text, an array of primitives joined by commas,
    anything else as JSON text.
    """
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return number_text(value)
        case list() if not any(isinstance(item, list | dict) for item in value):
            return ",".join(text_of(item) for item in value)
        case _:
            return msgspec.json.encode(value).decode()


def number_text(number: float) -> str:
    """Return a number as JavaScript's `String` writes it: `1`, `0.1`, `1e+21`, `1e-7`, `NaN`."""
    if isinstance(number, int):
        if abs(number) < 10**21:
            return str(number)
        try:
            number = float(number)
        except OverflowError:
            number = math.inf if number > 0 else -math.inf
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    if number == 0:
        return "0"
    sign = "-" if number < 0 else ""
    mantissa, _, exponent_text = f"{abs(number)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent_text or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    if 0 < point <= 21:
        if len(digits) <= point:
            return sign + digits.ljust(point, "0")
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    tail = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{tail}e{'+' if point > 0 else '-'}{abs(point - 1)}"
