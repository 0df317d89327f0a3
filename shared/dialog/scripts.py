"""The protocol between the engine and whatever runs a bot's JavaScript.

The engine hands a script the state it may read and gets back, in order, what the script wants: *script effects*.
It applies them itself, so a script can do nothing that is not listed here. `shared/scripting` implements `Scripts`
with QuickJS; tests may implement it with anything.
"""

from typing import Any, Protocol

import msgspec

from shared.dialog.events import Entity

MINTED = "token|"
"""Begins the key of a token for a form, which is loaded as context data are; the rest is JSON: names of variables,
seconds (0: as long as usual), whether it counts once, and two numbers that tell it from the turn's other tokens."""


class ScriptRef(msgspec.Struct, frozen=True):
    """Which script of a turn: the how-manieth, whose, which panel. The same on every run of the same turn.

    `panel` is `global`, `init`, `pre`, `post`, `response` (Process User Response) or `transform`; `owner` is the name
    of the interaction or integration.
    """

    ordinal: int
    owner: str
    panel: str

    @property
    def key(self) -> str:
        """Identify the script in `abandon` and in announcements."""
        return f"{self.ordinal}:{self.panel}:{self.owner}"


class ScriptState(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a script may read. Variables are JSON values, already merged over their scopes.

    `scopes` names the scope of variables that are not the request's; a script that changes an object in place sets it
    there. `forever` names are part of `variables`. `context` maps `conversation|ns`, `user|ns` and `global|ns` to the
    data loaded so far (name to JSON value); a namespace that is not there has not been loaded: reading it is a miss
    (except `conversation|…`, which is always loaded: absent means empty).
    `token|…` (`MINTED`) maps to `token`, the text. `entities` are those of the consumer's
    last text, `disambiguated_intent_…` is what the consumer chose in a disambiguation.
    """

    now: int
    seed: int
    variables: dict[str, Any]
    web_view: dict[str, str] = {}
    environment: dict[str, str] = {}
    text: str = ""
    payload: str | None = None
    quick_reply_payload: str | None = None
    button_payload: str | None = None
    metadata: list[dict[str, Any]] = []
    starter_intent: str | None = None
    entities: list[Entity] = []
    disambiguated_intent_name: str | None = None
    disambiguated_intent_id: str | None = None
    bot_id: str = ""
    conversation_id: str = ""
    user_id: str = ""
    channel: str = ""
    account_id: str = ""
    engagement: dict[str, str] = {}
    customer_info: dict[str, Any] | None = None
    personal_info: dict[str, Any] | None = None
    api_success: bool = False
    api_status: str | None = None
    context: dict[str, dict[str, Any]] = {}
    scopes: dict[str, str] = {}


class SetVariable(msgspec.Struct, frozen=True, tag="set"):
    """`setBotVariable`; `scope` is `request`, `session` or `forever`. None as a value is JavaScript's null."""

    name: str
    value: Any
    scope: str


class Say(msgspec.Struct, frozen=True, tag="say", omit_defaults=True):
    """`sendMessage`, one per text; `quick_replies` are `Title~payload` texts."""

    text: str
    quick_replies: list[str] = []


class SayPrivately(msgspec.Struct, frozen=True, tag="private"):
    """`sendPrivateMessage`: for the trace only."""

    text: str


class AddQuickReplies(msgspec.Struct, frozen=True, tag="quick_replies"):
    """`addQuickReplies`: they hang on the interaction's own message."""

    replies: list[str]


class Trigger(msgspec.Struct, frozen=True, tag="trigger"):
    """`setTriggerNextMessage`: the last one of a script wins. None and empty names are traced, not followed."""

    interaction: str | None


class Delay(msgspec.Struct, frozen=True, tag="delay"):
    """`setMessageDelay`, in milliseconds."""

    ms: int


class AllowLongText(msgspec.Struct, frozen=True, tag="long_text"):
    """`setAllowMaxTextResponse`."""

    on: bool


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """`sendImmediateReply` was called: its texts came before as `Say`; the rest of the flow is not run."""


class Log(msgspec.Struct, frozen=True, tag="log"):
    """`printDebugMessage`."""

    text: str


class CustomEvent(msgspec.Struct, frozen=True, tag="event"):
    """`logCustomEvent`."""

    message: str
    name: str
    detail: str


class SetContext(msgspec.Struct, frozen=True, tag="context"):
    """A write to the context service: set (`value` is JSON), delete one (`name`), delete all (`name` None).

    `scope` is `conversation`, `user` or `global`. `ttl_ms` 0 means no limit of its own.
    """

    scope: str
    namespace: str
    name: str | None
    value: Any = None
    delete: bool = False
    ttl_ms: int = 0


class FormRead(msgspec.Struct, frozen=True, tag="form_read"):
    """`getWebViewVariable` of a name that a form has posted, once for each; None is all of them."""

    name: str | None


class Warn(msgspec.Struct, frozen=True, tag="warn"):
    """Something the author should know: `code` is `unknown-function`, `refused`, … (see `TraceLine`)."""

    code: str
    note: str


ScriptEffect = (
    SetVariable
    | Say
    | SayPrivately
    | AddQuickReplies
    | Trigger
    | Delay
    | AllowLongText
    | Stop
    | Log
    | CustomEvent
    | SetContext
    | FormRead
    | Warn
)


class ScriptOutcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a script did: its effects in order, and how it ended.

    `error` is the message of an uncaught exception or of the limit that stopped it, `line` its line in the script
    (0 if unknown), `stopped` true when a limit ended it. `us` is CPU time in microseconds, for the trace only.
    """

    effects: list[ScriptEffect] = []
    error: str | None = None
    line: int = 0
    stopped: bool = False
    us: int = 0


class NeedContext(Exception):  # noqa: N818 a request for data, not an error
    """A script read data that was not loaded: load `keys` (as in `ScriptState.context`) and run the turn again."""

    def __init__(self, keys: list[str], abandon: list[str] | None = None) -> None:
        super().__init__(", ".join(keys))
        self.keys = keys
        self.abandon = abandon or []


class Scripts(Protocol):
    """Runs the scripts of one turn, in one fresh JavaScript world."""

    def run(self, ref: ScriptRef, source: str, state: ScriptState) -> ScriptOutcome:
        """Run one panel, with the bot's Global Functions in scope.

        An empty `source` with panel `global` only loads the Global Functions; panel `init` calls
        `__initConversation` if it is declared. Raises `NeedContext` when the script read data not loaded.
        """
        ...
