"""What templates read: variables, environment variables, fields of integrations."""

from collections.abc import Iterator
from typing import Any

import msgspec

from services.check.codes import INFO, WARNING, found
from services.check.panels import INTEGRATIONS, place_of
from services.check.subject import Subject
from shared.bot.errors import Finding
from shared.bot.integration import Integration
from shared.bot.model import Interaction
from shared.bot.templates import Placeholder, Template


def check_placeholders(subject: Subject) -> Iterator[Finding]:
    """Check each placeholder once for every interaction or integration it stands in."""
    variables = subject.variables()
    for place, owner in _owners(subject):
        for hole in dict.fromkeys(hole for template in _templates(owner) for hole in template.placeholders):
            finding = _check(hole, place, variables, subject)
            if finding is not None:
                yield finding


def _owners(subject: Subject) -> Iterator[tuple[str, Interaction | Integration]]:
    bot = subject.bot
    yield from ((place_of(bot, interaction), interaction) for interaction in bot.interactions.values())
    yield from ((f"{INTEGRATIONS} / {integration.name}", integration) for integration in bot.integrations.values())


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


def _check(hole: Placeholder, place: str, variables: frozenset[str], subject: Subject) -> Finding | None:
    match hole.kind:
        case "environment" if hole.name not in subject.bot.environment:
            note = f"{{{hole.expression}}} is empty: the manifest gives no environment variable {hole.name}"
            return found("missing-environment-variable", place, note)
        case "variable" if hole.name.removeprefix("slot.") not in variables and hole.name not in variables:
            return _unset(hole, place, subject)
        case "path":
            root = hole.name.partition(".")[0].partition("[")[0].strip()
            return None if root in variables else _unset(hole, place, subject)
        case "field" if hole.name not in variables:
            return _unknown_field(hole, place, subject)
    return None


def _unset(hole: Placeholder, place: str, subject: Subject) -> Finding:
    level = INFO if subject.sets_unknown else WARNING
    return found("unset-variable", place, f"nothing in the bot sets what {{{hole.expression}}} reads", level=level)


def _unknown_field(hole: Placeholder, place: str, subject: Subject) -> Finding:
    name, _, field = hole.name.partition(".")
    identifier = subject.bot.integration_names.get(name)
    if identifier is None:
        note = f"{{{hole.expression}}}: there is no integration {name}, so this is sent as it stands"
        return found("unknown-integration", place, note)
    fields = ", ".join(one.key for one in subject.bot.integrations[identifier].fields) or "none"
    note = f"{{{hole.expression}}} is empty: {name} has no custom data field {field}; it has {fields}"
    return found("unknown-field", place, note)
