"""The intents a bot refers to, and which of them nobody understands (CB: reference/dialogs.md 1.7)."""

from collections.abc import Iterable, Iterator
from operator import itemgetter

from shared.bot.errors import Finding
from shared.bot.export import Intent
from shared.bot.model import Dialog, IntentName, Interaction
from shared.bot.model_rules import IntentCondition
from shared.bot.understanding import Understanding, findings


def intents_by_name(intents: Iterable[Intent]) -> dict[str, IntentName]:
    """Index intents by what they may be called; an id wins over a name, a name over a display name."""
    known = [IntentName(one.id, one.name or one.id, one.display_name or one.name or one.id) for one in intents]
    called = [pair for one in known for pair in ((2, one.display_name, one), (1, one.name, one), (0, one.id, one))]
    called.sort(key=itemgetter(0), reverse=True)
    return {name.strip().casefold(): one for _, name, one in called if name.strip()}


def not_understood(
    interactions: Iterable[Interaction],
    dialogs: dict[str, Dialog],
    intents: dict[str, IntentName],
    understanding: Understanding,
) -> Iterator[Finding]:
    """Yield the starters and rules that never match, since nothing tells their intent or their entity.

    With an endpoint all may match; what else the manifest says of understanding is without effect then.
    """
    if understanding.url:
        yield from findings(understanding, ())
        return
    wanted: list[tuple[str, tuple[str, ...]]] = []
    entities = {name.casefold() for name in understanding.entities}
    for interaction in interactions:
        place = f"{dialogs[interaction.dialog_id].name} / {interaction.name}"
        for called in _intents_of(interaction):
            intent = intents.get(called.strip().casefold()) or IntentName(called, called, called)
            wanted.append((place, (intent.display_name, intent.name, intent.id)))
        for entity in _entities_of(interaction):
            if entity.casefold() not in entities:
                note = f"the manifest has neither the entity '{entity}' nor an endpoint: a rule with it never matches"
                yield Finding("slot-without-entity", place, note)
    yield from findings(understanding, wanted)


def _intents_of(interaction: Interaction) -> list[str]:
    conditions = (rule.condition for rule in interaction.rules)
    called = [interaction.intent_id, *(one.intent_id for one in conditions if isinstance(one, IntentCondition))]
    return list(dict.fromkeys(one for one in called if one))


def _entities_of(interaction: Interaction) -> list[str]:
    return list(dict.fromkeys(rule.slot.entity for rule in interaction.rules if rule.slot and rule.slot.entity))
