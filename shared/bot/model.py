"""The bot: an immutable value in which every link is resolved and every pattern and template compiled once.

`shared.bot.bot.compile_bot` makes it; the engine, the workers and `check` read it.
"""

from typing import Any

import msgspec

from shared.bot.errors import Finding
from shared.bot.integration import Integration
from shared.bot.manifest import Limits
from shared.bot.patterns import Pattern
from shared.bot.templates import Template
from shared.bot.understanding import Understanding

NO_TEXT = Template("", ("",))


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
    """The answer has this intent."""

    intent_id: str


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
    | NoMatchCondition
    | UnsupportedCondition
)


class VariableCondition(msgspec.Struct, frozen=True):
    """A condition on a variable: `operator` is the export's `matchType`, both sides are templates."""

    operator: str
    left: Template
    right: Template


class Assignment(msgspec.Struct, frozen=True):
    """A variable a rule sets; `scope` is `request`, `dialog`, `session` or `forever`."""

    name: str
    value: Template
    scope: str


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


class Button(msgspec.Struct, frozen=True):
    """A button: `link` opens `callback`, otherwise `callback` is what the consumer says."""

    label: Template
    callback: Template
    link: bool
    target: str
    metadata: Any = None


class Tile(msgspec.Struct, frozen=True):
    """One tile: text, or a card of image, title, subtitle and buttons."""

    text: Template
    title: Template
    subtitle: Template
    image: Template
    url: Template
    buttons: tuple[Button, ...]


class QuickReply(msgspec.Struct, frozen=True):
    """One quick reply; `payload` None means its title is what the consumer says."""

    kind: str
    title: Template
    payload: Template | None
    metadata: Any = None


class Interaction(msgspec.Struct, frozen=True, kw_only=True):
    """One interaction. `kind` is the export's `interactionType`, `asks` whether it waits for an answer.

    `rules` are in the order in which they are tried (R1). `next_id` is the next enabled interaction of the dialog.
    """

    id: str
    name: str
    kind: str
    dialog_id: str
    enabled: bool
    asks: bool
    next_id: str | None
    rules: tuple[Rule, ...]
    tiles: tuple[Tile, ...] = ()
    choices: tuple[Template, ...] = ()
    choice_display: str = "BUTTON"
    choice_style: str = ""
    quick_replies: tuple[QuickReply, ...] = ()
    replies_per_row: int = 8
    card: Template | None = None
    integration_id: str | None = None
    skill_id: Template = NO_TEXT
    agent_id: Template = NO_TEXT
    patterns: tuple[Pattern, ...] = ()
    excluded: tuple[Pattern, ...] = ()
    intent_id: str | None = None
    pre: str = ""
    post: str = ""
    response: str = ""
    delay_ms: int = 0
    fallback: Template | None = None

    @property
    def text(self) -> Template:
        """The text of the first tile."""
        return self.tiles[0].text if self.tiles else NO_TEXT


class Dialog(msgspec.Struct, frozen=True):
    """One dialog: `interactions` in their linked order; `starter` when the first one is a dialog starter."""

    id: str
    name: str
    kind: str
    enabled: bool
    interactions: tuple[str, ...]
    starter: Interaction | None

    @property
    def first(self) -> str | None:
        """The id of the first interaction."""
        return self.interactions[0] if self.interactions else None


class Bot(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a bot. `dialogs` keep the order of the export (R6); mappings are never changed."""

    id: str
    name: str
    version: str
    language: str
    greeting: str
    default_error: str | None
    session_ms: int
    debug_commands: bool
    dialogs: dict[str, Dialog]
    fallback: Dialog | None
    interactions: dict[str, Interaction]
    names: dict[str, str]
    integrations: dict[str, Integration]
    integration_names: dict[str, str]
    global_functions: str
    environment: dict[str, str]
    limits: Limits
    keep_types: bool
    greet: bool
    egress_private: tuple[str, ...]
    findings: tuple[Finding, ...]
    understanding: Understanding = Understanding()
