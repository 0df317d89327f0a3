"""How a placeholder of a request is filled, and what may not be filled in (R12, R13)."""

import re
from collections.abc import Mapping
from typing import Any

from shared.bot.templates import Placeholder, Template
from shared.bot.values import text_of

_BREAK = re.compile(r"[\r\n\0]")
_HALF_CHARACTERS = re.compile("[\ud800-\udfff]")


class InvalidRequest(Exception):  # noqa: N818  # a verdict about the bot, not a fault of ours
    """The request cannot be rendered. The message says why, without values."""


def value_of(hole: Placeholder, values: Mapping[str, Any]) -> Any:
    """Return the value of a placeholder, None when it is unset; `values` is `StartCall.values`."""
    return values.get(hole.expression)


def whole_characters(text: str) -> str:
    """Return the text with its unpaired surrogates, which no encoding can carry, replaced."""
    return _HALF_CHARACTERS.sub("\ufffd", text)


def line_of(hole: Placeholder, values: Mapping[str, Any], place: str) -> str:
    """Return the text of a placeholder where only one line may stand; raises InvalidRequest (R13)."""
    text = whole_characters(text_of(value_of(hole, values)))
    if _BREAK.search(text):
        raise InvalidRequest(f"the value of {{{hole.expression}}} has a line break: it cannot stand in {place}")
    return text


def line_from(template: Template, values: Mapping[str, Any], place: str) -> str:
    """Render a template of one line, such as a header; raises InvalidRequest (R13)."""
    text = template.render(lambda hole: line_of(hole, values, place))
    if _BREAK.search(text):
        raise InvalidRequest(f"{place} has a line break")
    return text
