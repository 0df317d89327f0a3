"""The messages between a dialog worker and its turn processes: msgpack, one Struct a frame.

A frame on the wire is four bytes of length (little-endian) and the message. The worker sends `Load` once per version
and child, then `Advance`; the child answers `Ready` (once, after its lock-down), `Loaded`, `Announce` (before each
script it runs) and, once per `Advance`, `Answer`.
"""

from typing import Any

import msgspec

from shared.dialog.effects import Effect
from shared.dialog.events import Event
from shared.dialog.session import Conversation, Session
from shared.dialog.trace import TraceLine

# The largest message, in bytes, and how many versions a child keeps (both sides forget the one loaded first).
FRAME_LIMIT = 8 << 20
VERSIONS_KEPT = 16


class Load(msgspec.Struct, frozen=True, tag="load"):
    """Compile a bot version and keep it. `blob` is what `shared.bot.source.BotSource.blob` gives."""

    version: str
    blob: bytes


class Advance(msgspec.Struct, frozen=True, tag="advance", omit_defaults=True):
    """Run one turn. `session` None starts a new one; `context` and `abandon` are as in `shared.dialog.scripts`.

    Without `keep_values` the trace comes back without values: nobody would read them.
    """

    version: str
    conversation: Conversation
    session: Session | None
    event: Event
    turn: int
    forever: dict[str, Any] = {}
    context: dict[str, dict[str, Any]] = {}
    abandon: list[str] = []
    keep_values: bool = False


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The child is locked down and waits. `lockdown` lists the layers in force."""

    lockdown: list[str]


class Loaded(msgspec.Struct, frozen=True, tag="loaded", omit_defaults=True):
    """The version is compiled, or `error` says why not."""

    version: str
    error: str | None = None


class Announce(msgspec.Struct, frozen=True, tag="announce"):
    """The child is about to run this script (`ScriptRef.key`); an empty key: no script runs any more."""

    script: str


class Answer(msgspec.Struct, frozen=True, tag="answer", omit_defaults=True):
    """How the turn ended: done, in need of context data, or an engine failure (`error`, a traceback's last lines).

    `us` is how long it took, `script_us` the CPU time of its scripts; both in microseconds.
    """

    session: Session | None = None
    effects: list[Effect] = []
    trace: list[TraceLine] = []
    need: list[str] = []
    abandon: list[str] = []
    error: str | None = None
    us: int = 0
    script_us: int = 0


ToChild = Load | Advance
FromChild = Ready | Loaded | Announce | Answer
