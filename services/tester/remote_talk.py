"""A conversation with a running installation: sends, waits until the bot has finished, then hears it all."""

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import msgspec

from services.tester.calls import Unexpected
from services.tester.remote import Opened, Remote
from services.tester.stub_server import StubServer
from services.tester.suite import Profile, Said
from services.tester.talk import Heard, find_control, warnings_of
from shared.dialog.trace import TraceLine, TurnTrace
from shared.privacy.form_token import last_in

_PATIENCE = 60.0
_PAUSE = 0.02
_QUIET = 1.5
_VARIABLE_SCOPES = " ("

T = TypeVar("T")


class RemoteTalk:
    """Talks to a bot of an installation; the conversation begins with its first message."""

    def __init__(
        self,
        runner: asyncio.Runner,
        remote: Remote,
        stubs: StubServer,
        bot_id: str,
        profile: dict[str, Any],
        *,
        console: bool,
    ) -> None:
        self._runner = runner
        self._remote = remote
        self._stubs = stubs
        self._bot_id = bot_id
        self._profile = msgspec.convert(profile, Profile)
        self._console = console
        self._opened: Opened | None = None
        self._cursor = ""
        self._turns: list[TurnTrace] = []
        self._happened = 0
        self._origins: deque[str] = deque()
        self._variables: dict[str, Any] = {}
        self._heard: deque[Heard] = deque()
        self._shown: list[Heard] = []
        self._warnings: list[str] = []
        self._token = ""  # what the page of a form would have: from the address that the bot showed last
        self.watch: Callable[[list[TraceLine]], None] = lambda _: None

    def say(self, messages: tuple[Said, ...]) -> None:
        """Let the consumer write. Raises Unexpected."""
        shown, self._shown = self._shown, []
        bodies = [self._body(said, shown) for said in messages]

        async def send() -> None:
            opened = await self._conversation()
            for body in bodies:
                await self._remote.say(opened, body)
                self._happened += 1

        self._do(send())

    def _body(self, said: Said, shown: list[Heard]) -> dict[str, Any]:
        text, payload = said.text, said.payload
        if said.tap is not None:
            title, value = find_control(shown, said.tap)
            text, payload = title, value if payload is None else payload
        body: dict[str, Any] = {"text": text, "metadata": list(said.metadata)}
        return body if payload is None else {**body, "payload": payload}

    def post(self, variables: dict[str, str], message: str | None) -> None:
        """Let an external form post. Raises Unexpected."""
        if message is not None:
            self._shown = []

        async def send() -> None:
            await self._remote.post(await self._conversation(), variables, message, self._token)
            self._happened += 1

        self._do(send())

    def advance(self, ms: int) -> None:
        """Refuse: such tests are skipped."""
        raise Unexpected(f"the time of an installation cannot be advanced by {ms} ms")

    def hear(self) -> Heard | None:
        """Return the next thing the consumer sees, None when there is nothing more."""
        return self._heard.popleft() if self._heard else None

    def peek(self) -> Heard | None:
        """Return what `hear` would, and leave it there."""
        return self._heard[0] if self._heard else None

    def variable(self, name: str) -> Any:
        """Return the last value that a trace shows of a variable, None when it shows none."""
        return self._variables.get(name)

    def warnings(self) -> list[str]:
        """Return what the traces of the last step's turns warn of."""
        return self._warnings

    def _do(self, sending: Coroutine[Any, Any, None]) -> None:
        self._warnings = []

        async def act() -> None:
            await sending
            await (self._finish_turns() if self._console else self._fall_silent())

        self._runner.run(act())
        problem, self._stubs.problem = self._stubs.problem, None
        if problem is not None:
            raise problem

    async def _conversation(self) -> Opened:
        if self._opened is None:
            self._opened = await self._remote.open(self._bot_id, self._profile)
        return self._opened

    async def _finish_turns(self) -> None:
        """Wait for a turn of everything that happened, and for the outcome of every call."""
        opened = await self._conversation()
        deadline = time.monotonic() + _PATIENCE
        while not self._is_finished():
            if time.monotonic() > deadline:
                raise Unexpected(f"the installation has not answered within {_PATIENCE:g} seconds")
            await asyncio.sleep(_PAUSE)
            last = self._turns[-1].turn if self._turns else 0
            for turn in await self._remote.trace(opened.id, last):
                self._take_turn(turn)
        await self._read(opened)

    def _is_finished(self) -> bool:
        events = sum(turn.event != "outcome" for turn in self._turns)
        called = sum(line.code == "call" for turn in self._turns for line in turn.lines)
        answered = sum(turn.event == "outcome" for turn in self._turns)
        closed = any(line.code == "close" for turn in self._turns for line in turn.lines)
        return (events >= self._happened and answered >= called) or closed

    def _take_turn(self, turn: TurnTrace) -> None:
        self._turns.append(turn)
        self.watch(turn.lines)
        self._warnings += warnings_of(turn.lines)
        for line in turn.lines:
            if line.code == "reply":
                self._origins.append(line.interaction)
            elif line.code == "variable":
                self._variables[line.note.rpartition(_VARIABLE_SCOPES)[0]] = line.values.get("value")
            elif line.code == "event" and turn.event == "web_view":
                self._variables |= line.values

    async def _fall_silent(self) -> None:
        """Read until nothing has been said, and no stub has been asked, for a while."""
        opened = await self._conversation()
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < _QUIET:
            if await self._read(opened) or self._stubs.busy:
                quiet_since = time.monotonic()
            await asyncio.sleep(_PAUSE * 5)

    async def _read(self, opened: Opened) -> int:
        page = await self._remote.messages(opened, self._cursor)
        self._cursor = str(page["cursor"])
        spoken = [message for message in page["messages"] if message["from"] != "consumer"]
        for message in spoken:
            self._token = last_in(json.dumps(message)) or self._token
            self._heard.append(self._as_heard(message))
            self._shown.append(self._heard[-1])
        return len(spoken)

    def _as_heard(self, message: dict[str, Any]) -> Heard:
        kind = str(message["type"])
        origin = self._origins.popleft() if kind in {"text", "rich"} and self._origins else None
        return Heard(kind, message.get("text"), message.get("content"), message.get("quickReplies"), origin)
