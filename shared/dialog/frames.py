"""The messages between a dialog worker and its turn processes: msgpack, one Struct a frame.

A frame on the wire is four bytes of length (little-endian) and the message. The worker sends `Load` once per version
and child, then `Advance`; the child answers `Ready` (once, after its lock-down), `Loaded` and, once per `Advance`,
`Answer`. Which script it runs it notes in memory that both share: frames for that cost as much as a small script.
"""

import struct
from typing import Any

import msgspec

from shared.dialog.effects import Effect
from shared.dialog.events import Event
from shared.dialog.session import Conversation, Session
from shared.dialog.trace import TraceLine

# The largest message, in bytes, and how many versions a child keeps (both sides forget the one loaded first).
FRAME_LIMIT = 8 << 20
VERSIONS_KEPT = 16


class Running(msgspec.Struct, frozen=True):
    """The script that a child runs (`ScriptRef.key`), and since when, in seconds of the clock both can read."""

    script: str
    since: float


class Note:
    """Which script runs now, in memory shared by a child, which writes it, and its worker, which does not trust it.

    The length is written last and cleared first, so that who reads in between finds no script.
    """

    SIZE = 16_384
    _HEAD = struct.Struct("<Hd")

    def __init__(self, memory: memoryview) -> None:
        self._memory = memory

    def write(self, script: str, since: float) -> None:
        """Note that a script begins; an empty one says that none runs any more."""
        self._memory[:2] = b"\0\0"
        if script:
            key = script.encode()[: self.SIZE - self._HEAD.size]
            head = self._HEAD.pack(len(key), since)
            self._memory[self._HEAD.size : self._HEAD.size + len(key)] = key
            self._memory[2 : self._HEAD.size] = head[2:]
            self._memory[:2] = head[:2]

    def read(self) -> Running | None:
        """Return what runs, None when nothing does."""
        length, since = self._HEAD.unpack(self._memory[: self._HEAD.size])
        key = bytes(self._memory[self._HEAD.size : self._HEAD.size + length])
        return Running(key.decode(errors="replace"), since) if length else None


class Load(msgspec.Struct, frozen=True, tag="load"):
    """Compile a bot version and keep it. `blob` is what `shared.bot.source.BotSource.blob` gives."""

    version: str
    blob: bytes


class Advance(msgspec.Struct, frozen=True, tag="advance", omit_defaults=True):
    """Run one turn. `session` None starts a new one; `context` and `abandon` are as in `shared.dialog.scripts`.

    Without `keep_values` the trace comes back without values: nobody would read them. `environment` are the variables
    that were looked up for this turn.
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
    environment: dict[str, str] = {}


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The child is locked down and waits. `lockdown` lists the layers in force."""

    lockdown: list[str]


class Loaded(msgspec.Struct, frozen=True, tag="loaded", omit_defaults=True):
    """The version is compiled, or `error` says why not."""

    version: str
    error: str | None = None


class Answer(msgspec.Struct, frozen=True, tag="answer", omit_defaults=True):
    """How the turn ended: done, in need of context data, or an engine failure (`error`, a traceback's last lines).

    `us` is how long it took, `script_us` the CPU time of its scripts; both in microseconds. `sensitive` says that the
    bot names sensitive variables.
    """

    session: Session | None = None
    effects: list[Effect] = []
    trace: list[TraceLine] = []
    need: list[str] = []
    abandon: list[str] = []
    error: str | None = None
    us: int = 0
    script_us: int = 0
    sensitive: bool = False


ToChild = Load | Advance
FromChild = Ready | Loaded | Answer
