"""What templates read: variables, environment variables, fields of integrations."""

from collections.abc import Iterator

from services.check.codes import INFO, WARNING, found
from services.check.subject import Subject
from shared.bot.errors import Finding
from shared.bot.templates import Placeholder


def check_placeholders(subject: Subject) -> Iterator[Finding]:
    """Check each placeholder once for every interaction or integration it stands in."""
    variables = subject.variables()
    for place, holes in subject.templates:
        for hole in holes:
            finding = _check(hole, place, variables, subject)
            if finding is not None:
                yield finding


def _check(hole: Placeholder, place: str, variables: frozenset[str], subject: Subject) -> Finding | None:
    match hole.kind:
        case "environment" if hole.name not in subject.environment:
            note = f"{{{hole.expression}}} is empty: the manifest gives no environment variable {hole.name}"
            return found("missing-environment-variable", place, note)
        case "variable" if hole.name not in variables:
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
