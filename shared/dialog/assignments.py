"""What rules set: variables, and slots (CB: reference/dialogs.md 1.5, 2.3).

A slot is the variable `slot.<name>`. A rule with a slot matches an answer only if its entity is found in it; a question
whose entity stood already in the text that started the dialog is not asked.
"""

import msgspec

from shared.bot.model import Interaction
from shared.bot.model_rules import Assignment, Rule
from shared.dialog.comparisons import variables_hold
from shared.dialog.events import Entity
from shared.dialog.resolve import Resolver
from shared.dialog.work import Work

# As for scripts (design: limits): bytes of JSON text.
_VARIABLE_LIMIT = 256 << 10


def assign(work: Work, interaction: Interaction, rule: Rule, known: Entity | None = None) -> None:
    """Set the variables of a rule; `known` is the entity that fills its slot when no answer was given."""
    for assignment in rule.assignments:
        entity = known or entity_in(work.position.understood.entities, assignment.entity)
        value = entity.phrase if assignment.entity and entity else _value(work, interaction, assignment)
        if len(msgspec.json.encode(value)) > _VARIABLE_LIMIT:
            work.warn("refused", interaction, f"variable {assignment.name} would be larger than 256 KiB: it is not set")
            continue
        work.set_variable(assignment.name, value, assignment.scope)
        work.note("variable", interaction, f"{assignment.name} ({assignment.scope})", values={"value": value})


def take_known(work: Work, question: Interaction) -> tuple[Rule, Entity] | None:
    """Return the rule whose slot the dialog's first text fills, and its entity, which is used up by that."""
    frame = work.stack[-1]
    for rule in question.rules:
        entity = entity_in(frame.entities, rule.slot.entity) if rule.slot else None
        if entity is not None and variables_hold(work, question, rule):
            frame.entities = [one for one in frame.entities if one is not entity]
            return rule, entity
    return None


def entity_in(entities: list[Entity], name: str | None) -> Entity | None:
    """Return the first entity of a name, written with or without its `@`."""
    wanted = (name or "").lstrip("@").casefold()
    return next((one for one in entities if one.name.lstrip("@").casefold() == wanted), None)


def _value(work: Work, interaction: Interaction, assignment: Assignment) -> object:
    """Take the value of a variable that is named, with or without braces; else the rendered text."""
    named, value = work.find_variable(assignment.value.source.strip())
    return value if named else Resolver(work, interaction).text(assignment.value)
