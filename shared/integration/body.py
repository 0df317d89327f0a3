"""The body of a call: a template in, bytes out, values escaped for the place they land in (R13)."""

import math
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from shared.bot.templates import Template
from shared.bot.values import number_text, text_of
from shared.integration.filling import line_of, value_of, whole_characters

_STRING_MARKS = re.compile(r'\\.|"', re.DOTALL)
_PLACE = "a body that is not JSON"


def render_body(template: Template, values: Mapping[str, Any], *, form: bool = False) -> bytes:
    """Render the body; `form` says that it is `application/x-www-form-urlencoded`. Raises InvalidRequest."""
    literal = "".join(part for part in template.parts if isinstance(part, str)).strip()
    holes = template.placeholders
    if not literal and len(holes) == 1:
        text = _whole(values, template)
    elif literal[:1] in {"{", "[", '"'} and template.source.lstrip()[:1] == literal[:1] and literal:
        text = _json(template, values)
    elif form:
        text = template.render(lambda hole: quote(line_of(hole, values, _PLACE), safe=""))
    else:
        text = template.render(lambda hole: line_of(hole, values, _PLACE))
    return whole_characters(text).encode()


def _whole(values: Mapping[str, Any], template: Template) -> str:
    """Return a body that one variable holds: JSON text as it is, other text if it is one line."""
    hole = template.placeholders[0]
    value = value_of(hole, values)
    if isinstance(value, list | dict):
        return msgspec.json.encode(value).decode()
    return value if isinstance(value, str) and _is_json(value) else line_of(hole, values, _PLACE)


def _json(template: Template, values: Mapping[str, Any]) -> str:
    """Render a JSON template.

    Inside a string a value is escaped. Outside, valid JSON stands as it is and other text becomes a JSON string; but
    if the template is no JSON even with `null` for such values, its author composes JSON from pieces: they stay raw.
    """
    places = _places(template)
    whole = _is_json(_skeleton(template, places))
    text, number = "", 0
    for part in template.parts:
        if isinstance(part, str):
            text += part
            continue
        value = value_of(part, values)
        if places[number]:
            text += _escaped(text_of(value))
        elif whole:
            text += _bare(value)
        else:
            text += line_of(part, values, "JSON that is composed from pieces")
        number += 1
    return text


def _places(template: Template) -> list[bool]:
    """Tell for each placeholder whether it stands inside a JSON string."""
    places: list[bool] = []
    inside = False
    for part in template.parts:
        if isinstance(part, str):
            inside ^= sum(mark[0] == '"' for mark in _STRING_MARKS.finditer(part)) % 2 == 1
        else:
            places.append(inside)
    return places


def _skeleton(template: Template, places: list[bool]) -> str:
    fills = iter(places)
    return template.render(lambda _: "" if next(fills) else "null")


def _bare(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value if _is_json(value) else f'"{_escaped(value)}"'
    if isinstance(value, float) and math.isfinite(value):
        return number_text(value)  # 1000, where 1000.0 would be another text
    return msgspec.json.encode(value).decode()


def _escaped(text: str) -> str:
    return msgspec.json.encode(whole_characters(text)).decode()[1:-1]


def _is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return False
    return True
