"""What is shown and how things are called: cards, names that stand there twice."""

from collections import Counter
from collections.abc import Iterator

from services.check.codes import found
from services.check.json_text import is_json
from services.check.panels import INTEGRATIONS, place_of
from services.check.subject import Subject
from shared.bot.errors import Finding


def check_content(subject: Subject) -> Iterator[Finding]:
    """Check cards and names."""
    for interaction in subject.bot.interactions.values():
        if interaction.card is not None and not is_json(interaction.card):
            note = "its card is not JSON, whatever its variables hold: it is not shown"
            yield found("bad-card", place_of(subject.bot, interaction), note)
    yield from _twice(subject)


def _twice(subject: Subject) -> Iterator[Finding]:
    """Names of interactions are the compiler's to compare."""
    dialogs = Counter(dialog.name for dialog in subject.bot.dialogs.values())
    integrations = Counter(integration.name for integration in subject.bot.integrations.values())
    for name, count in dialogs.items():
        if count > 1:
            yield found("duplicate-name", name, f"{count} dialogs have this name")
    for name, count in integrations.items():
        if count > 1:
            note = f"{count} integrations have this name: templates read the last one's fields"
            yield found("duplicate-name", f"{INTEGRATIONS} / {name}", note)
