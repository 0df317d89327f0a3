"""The rules of a bot: what they ask for, what they set, where they lead (`shared.bot.rules` makes them)."""

from typing import Any

import msgspec

from shared.bot.patterns import Pattern
from shared.bot.templates import Template


class PatternCondition(msgspec.Struct, frozen=True, tag="pattern"):
    """The whole text matches one of the patterns and contains none of the excluded ones."""

    patterns: tuple[Pattern, ...]
    excluded: tuple[Pattern, ...] = ()


class RegexCondition(msgspec.Struct, frozen=True, tag="regex"):
    """The expression is found anywhere (R8). `compiled` is None when it cannot be compiled: it never matches."""

    source: str
    compiled: Any
    excluded: tuple[Pattern, ...] = ()


class ChoiceCondition(msgspec.Struct, frozen=True, tag="choice"):
    """The answer is this choice of a multiple choice question: its text, number or letter."""

    value: str


class ExactCondition(msgspec.Struct, frozen=True, tag="exact"):
    """The answer equals this text, whatever the case and the white space around it (R9)."""

    value: str


class ApiCondition(msgspec.Struct, frozen=True, tag="api"):
    """The integration answered with a success status, or did not."""

    success: bool


class IntentCondition(msgspec.Struct, frozen=True, tag="intent"):
    """The answer has this intent (an id or a name) with a score of at least good."""

    intent_id: str


class KnowledgeCondition(msgspec.Struct, frozen=True, tag="knowledge"):
    """A knowledge base was searched and found something, or did not."""

    found: bool


class NoMatchCondition(msgspec.Struct, frozen=True, tag="no_match"):
    """Nothing else matched; `message` is sent before the action."""

    message: Template


class UnsupportedCondition(msgspec.Struct, frozen=True, tag="unsupported"):
    """A condition nothing here knows: it never matches."""

    match_type: str


Condition = (
    PatternCondition
    | RegexCondition
    | ChoiceCondition
    | ExactCondition
    | ApiCondition
    | IntentCondition
    | KnowledgeCondition
    | NoMatchCondition
    | UnsupportedCondition
)


class VariableCondition(msgspec.Struct, frozen=True):
    """A condition on a variable: `operator` is the export's `matchType`, both sides are templates."""

    operator: str
    left: Template
    right: Template


class Assignment(msgspec.Struct, frozen=True):
    """A variable a rule sets; `scope` is `request`, `dialog`, `session` or `forever`.

    `entity` makes it a slot (`slot.<name>`): its value is what stands for that entity in the answer.
    """

    name: str
    value: Template
    scope: str
    entity: str | None = None


class Target(msgspec.Struct, frozen=True):
    """Where a rule leads: `next`, `none`, `close_dialog`, `close_conversation`, `interaction` or `dialog` (by `id`).

    `missing` is what is not in the file: the next action is taken (R4).
    """

    kind: str
    id: str = ""


class Rule(msgspec.Struct, frozen=True):
    """One rule. `condition` None is the default next action."""

    name: str
    condition: Condition | None
    variables: tuple[VariableCondition, ...]
    any_variable: bool
    target: Target
    assignments: tuple[Assignment, ...]

    @property
    def is_default(self) -> bool:
        """Tell whether the rule asks for nothing: the default next action."""
        return self.condition is None and not self.variables and self.slot is None

    @property
    def slot(self) -> Assignment | None:
        """The slot the rule fills: it matches only an answer in which its entity is found (CB: one a rule)."""
        return next((one for one in self.assignments if one.entity is not None), None)
