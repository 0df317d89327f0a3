"""The placeholders of a bot, by the interaction or integration they stand in."""

from collections.abc import Iterator
from typing import Any

import msgspec

from services.check.panels import INTEGRATIONS, place_of
from shared.bot.model import Bot
from shared.bot.templates import Placeholder, Template


def placeholders(bot: Bot) -> Iterator[tuple[str, tuple[Placeholder, ...]]]:
    """Yield the place of each interaction and integration, with the placeholders in it, each once."""
    for interaction in bot.interactions.values():
        yield place_of(bot, interaction), _in(interaction)
    for integration in bot.integrations.values():
        yield f"{INTEGRATIONS} / {integration.name}", _in(integration)


def _in(part: msgspec.Struct) -> tuple[Placeholder, ...]:
    return tuple(dict.fromkeys(hole for template in _templates(part) for hole in template.placeholders))


def _templates(value: Any) -> Iterator[Template]:
    """Find every template inside a part of a bot."""
    match value:
        case Template():
            yield value
        case tuple():
            for item in value:
                yield from _templates(item)
        case msgspec.Struct():
            for name in value.__struct_fields__:
                yield from _templates(getattr(value, name))
