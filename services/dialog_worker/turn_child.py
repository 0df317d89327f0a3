"""One turn process seen from the dialog worker: frames out, frames in, and the kill when it is late or hostile.

What comes from a child is not trusted: a frame that is too large, cannot be decoded, was not asked for or has bytes
after it ends the child.
"""

import asyncio
import contextlib
import mmap
import os
import socket
import sys
import time
from collections.abc import Callable
from typing import cast

import msgspec

from shared.dialog.frames import FRAME_LIMIT, VERSIONS_KEPT, Advance, Answer, FromChild, Load, Loaded, Note, Ready
from shared.scripting.limits import Limits

_MODULE = "services.turn_process"
# Imports, compiles its warm-up bot and locks itself down in well under a second on an idle machine.
_START_SECONDS = 30.0
_decoder: msgspec.msgpack.Decoder[FromChild] = msgspec.msgpack.Decoder(FromChild)
_encoder = msgspec.msgpack.Encoder()


class ChildDied(Exception):  # noqa: N818 - a state of the world
    """The turn process has ended; `script` is the one it was running, empty if none.

    `by_us` says that the worker ended it; otherwise it ended by itself, or somebody else killed it.
    """

    def __init__(self, script: str, *, by_us: bool = True) -> None:
        super().__init__("a turn process ended in mid-turn")
        self.script = script
        self.by_us = by_us


class FrameTooLarge(Exception):  # noqa: N818 - what a bot did, not a mistake of the caller
    """A request is larger than a frame may be."""


class TurnChild(asyncio.Protocol):
    """A turn process; one request at a time. `lockdown` lists the layers it says are in force.

    `why` says why it is gone: `script-time`, `turn-time`, `protocol`, `abandoned`, `recycled`, or `ended` by itself.
    """

    def __init__(self, gone: Callable[["TurnChild"], None]) -> None:
        self.turns = 0
        self.why = "ended"
        self.process: asyncio.subprocess.Process | None = None
        self.lockdown: list[str] = []
        self._gone = gone
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._awaited: asyncio.Future[FromChild] | None = None
        self._note: Note | None = None
        self._deadline, self._script_seconds = 0.0, _START_SECONDS
        self._watchdog: asyncio.TimerHandle | None = None
        self._versions: dict[str, None] = {}

    @property
    def alive(self) -> bool:
        """Whether it can still be asked."""
        return self._transport is not None and not self._transport.is_closing()

    async def start(self, limits: Limits) -> None:
        """Start the process and wait until it is locked down. Raises ChildDied."""
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        with theirs, os.fdopen(os.memfd_create("note"), "r+b") as memory:
            memory.truncate(Note.SIZE)
            self._note = Note(memoryview(mmap.mmap(memory.fileno(), Note.SIZE)))
            await loop.create_unix_connection(lambda: self, sock=ours)
            self._awaited = loop.create_future()  # on a busy machine it may be ready before we know that it runs
            self.process = await asyncio.create_subprocess_exec(
                *_command(limits),
                stdin=theirs.fileno(),
                stdout=memory.fileno(),
                env={"TZ": "UTC"},
                cwd="/",
                start_new_session=True,
            )
        ready = await self._answer(self._awaited, _START_SECONDS)
        if not isinstance(ready, Ready):
            self.kill("protocol")
            raise ChildDied("")
        self.lockdown = ready.lockdown

    def has(self, version: str) -> bool:
        """Whether it has compiled this version."""
        return version in self._versions

    async def load(self, version: str, blob: bytes, seconds: float) -> str | None:
        """Have it compile a version; what comes back says why it cannot. Raises ChildDied."""
        loaded = await self._ask(_frame(Load(version, blob)), seconds)
        if not isinstance(loaded, Loaded):
            self.kill("protocol")
            raise ChildDied("")
        if loaded.error is None:
            self._versions[version] = None
            if len(self._versions) > VERSIONS_KEPT:
                del self._versions[next(iter(self._versions))]
        return loaded.error

    async def advance(self, request: Advance, seconds: float, script_seconds: float) -> Answer:
        """Have it run a turn within `seconds`, each script within `script_seconds`. Raises ChildDied."""
        self.turns += 1
        self._script_seconds = script_seconds
        answer = await self._ask(_frame(request), seconds)
        if not isinstance(answer, Answer):
            self.kill("protocol")
            raise ChildDied(self._script)
        return answer

    def kill(self, why: str = "ended") -> None:
        """End the process now; who waits for it gets ChildDied. The first reason given stays."""
        if self.why == "ended":
            self.why = why
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
        if self._transport is not None:
            self._transport.abort()

    async def ended(self) -> None:
        """Wait for the end of the process (after `kill`, or when the connection was lost)."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport (uvloop's is no subclass of asyncio's)."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Take in bytes; handle each whole frame."""
        self._received += data
        while self.alive and len(self._received) >= 4:
            end = int.from_bytes(self._received[:4], "little") + 4
            if end > FRAME_LIMIT + 4:
                self.kill("protocol")
                return
            if len(self._received) < end:
                return
            frame = bytes(memoryview(self._received)[4:end])
            del self._received[:end]
            try:
                self._take(_decoder.decode(frame))
            except (msgspec.DecodeError, RecursionError):
                self.kill("protocol")
                return

    def connection_lost(self, _reason: Exception | None) -> None:
        """Tell whoever waits."""
        self._stop_watching()
        if self._awaited is not None and not self._awaited.done():
            self._awaited.set_exception(ChildDied(self._script, by_us=self.why != "ended"))
        self._gone(self)

    def _take(self, message: FromChild) -> None:
        """Handle a message: the awaited answer, or something nobody asked for."""
        if self._awaited is None or self._awaited.done() or self._received:
            self.kill("protocol")
        else:
            self._awaited.set_result(message)

    @property
    def _script(self) -> str:
        """The script that runs, or ran when the process ended; empty for none."""
        running = self._note.read() if self._note else None
        return running.script if running else ""

    def _watch(self) -> None:
        """Kill the child when it is late or a script runs for too long; look again when either may be so."""
        running = self._note.read() if self._note else None
        now = time.monotonic()
        over = (running.since if running else now) + self._script_seconds
        if now >= self._deadline:
            self.kill("turn-time")
        elif now >= over:
            self.kill("script-time")
        else:
            left = min(over, self._deadline) - now
            self._watchdog = asyncio.get_running_loop().call_later(left, self._watch)

    def _stop_watching(self) -> None:
        if self._watchdog is not None:
            self._watchdog.cancel()
            self._watchdog = None

    async def _ask(self, frame: bytes, seconds: float) -> FromChild:
        """Send a frame and wait for the answer; kill the child when it is late or nobody wants it any more."""
        if not self.alive or self._transport is None:
            raise ChildDied("")
        self._awaited = asyncio.get_running_loop().create_future()
        self._transport.write(frame)
        return await self._answer(self._awaited, seconds)

    async def _answer(self, awaited: asyncio.Future[FromChild], seconds: float) -> FromChild:
        """Wait for what the child says. Raises ChildDied."""
        self._deadline = time.monotonic() + seconds
        self._watch()
        try:
            return await awaited
        except asyncio.CancelledError:
            self.kill("abandoned")
            raise
        finally:
            self._stop_watching()
            self._awaited = None


def _command(limits: Limits) -> list[str]:
    """Name the program and its arguments: isolated, so that neither the environment nor a folder adds code to it."""
    return [sys.executable, "-I", "-m", _MODULE, str(os.getpid()), msgspec.json.encode(limits).decode()]


def _frame(message: Load | Advance) -> bytes:
    """Make a frame. Raises FrameTooLarge."""
    content = _encoder.encode(message)
    if len(content) > FRAME_LIMIT:
        raise FrameTooLarge(f"a request of {len(content)} bytes is larger than a frame ({FRAME_LIMIT})")
    return len(content).to_bytes(4, "little") + content
