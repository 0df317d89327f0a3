"""The bot: an immutable value in which every link is resolved and every pattern and template compiled once.

`shared.bot.bot.compile_bot` makes it; the engine, the workers and `check` read it.
"""

from typing import Any

import msgspec

from shared.bot.domains import Domain
from shared.bot.egress import Egress
from shared.bot.errors import Finding
from shared.bot.integration import Integration
from shared.bot.manifest import Limits
from shared.bot.manifest_credentials import Credential
from shared.bot.model_rules import Rule
from shared.bot.patterns import Pattern
from shared.bot.protection import Protection
from shared.bot.templates import Template
from shared.bot.understanding import Understanding

NO_TEXT = Template("", ("",))


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


class Pick(msgspec.Struct, frozen=True):
    """One thing to pick from a list: what is shown, and a title above it that begins a section ("" for none)."""

    title: Template
    subtitle: Template = NO_TEXT
    section: str = ""


class Interaction(msgspec.Struct, frozen=True, kw_only=True):
    """One interaction. `kind` is its `interactionType` (`shared.bot.kinds`), `asks` whether it waits for an answer.

    `rules` are in the order in which they are tried (R1). `next_id` is the next enabled interaction of the dialog.
    `picks` are the items of a list or time picker, `event` what the time is for; `failure` is said when an upload
    failed; `variable` names the result of a knowledge search; `offers` is how many intents a disambiguation offers.
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
    picks: tuple[Pick, ...] = ()
    event: Template = NO_TEXT
    failure: Template = NO_TEXT
    variable: str = ""
    offers: int = 3

    @property
    def text(self) -> Template:
        """The text of the first tile."""
        return self.tiles[0].text if self.tiles else NO_TEXT


class Dialog(msgspec.Struct, frozen=True):
    """One dialog: `interactions` in their linked order; `starter` when the first one is a dialog starter.

    `kind` is one of `shared.bot.kinds`; `threshold` is how many failures in a row an auto-escalation dialog suffers.
    """

    id: str
    name: str
    kind: str
    enabled: bool
    interactions: tuple[str, ...]
    starter: Interaction | None
    threshold: int = 3

    @property
    def first(self) -> str | None:
        """The id of the first interaction."""
        return self.interactions[0] if self.interactions else None


class IntentName(msgspec.Struct, frozen=True):
    """An intent of the export. A manifest, a rule and an understander may call it by any of the three."""

    id: str
    name: str
    display_name: str


class Survey(msgspec.Struct, frozen=True):
    """What ends the survey of a survey bot: `limit` answers in a row not understood at one question."""

    limit: int
    message: str


class Bot(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a bot. `dialogs` keep the order of the export (R6); mappings are never changed.

    `intents` are by every name they have, in lower case. `survey` is there in a survey bot.
    """

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
    egress: Egress
    findings: tuple[Finding, ...]
    understanding: Understanding = Understanding()
    intents: dict[str, IntentName] = {}
    survey: Survey | None = None
    credentials: dict[str, Credential] = {}
    hosts: dict[str, Protection] = {}
    domains: dict[str, Domain] = {}
    web_view_mode: str = "compatible"
    sensitive: tuple[str, ...] = ()

    def special(self, kind: str) -> Dialog | None:
        """Return the first dialog of a kind that can be entered."""
        return next((one for one in self.dialogs.values() if one.kind == kind and one.enabled and one.first), None)

    def intent(self, called: str) -> IntentName:
        """Return the intent that is called so; one the export does not describe has this one name."""
        return self.intents.get(called.strip().casefold()) or IntentName(called, called, called)
