"""One conversation as the benchmarks hold it: opened over HTTP, its replies heard over WebSocket, all of them checked."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from tests.bench.wire import Broken, Line, Stream, connect, request

PATIENCE_SECONDS = 120.0
TEXTS = ("add %d lamps", "count %d lamps", "%d more please")
"""One for each pattern of the bot."""


class _Said(msgspec.Struct):
    sender: str = msgspec.field(name="from")
    text: str = ""


class _Frame(msgspec.Struct):
    message: _Said | None = None


class _Created(msgspec.Struct, rename="camel"):
    conversation_id: str
    token: str


_frames = msgspec.json.Decoder(_Frame)


class Talk:
    """One conversation. `accepted` is called with the body of every 202, `replied` with every text of the bot.

    `failed` is done, with Broken, when anything else happens. Messages may be sent over several `lines` at once;
    without `listens` no replies are heard.
    """

    def __init__(self, host: str, *, lines: int = 1, listens: bool = True) -> None:
        self._host = host
        self._count = lines
        self._listens = listens
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._lines: list[Line] = []
        self._stream: Stream | None = None
        self._path = ""
        self.token = ""
        self.id = ""
        self.accepted: Callable[[bytes], None] = lambda _: None
        self.replied: Callable[[str], None] = lambda _: None
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def open(self, bot_id: str) -> None:
        """Create the conversation and listen. Raises Broken."""
        self._lines = [await connect(self._host, lambda: Line(self._answered, self)) for _ in range(self._count)]
        self._answer = asyncio.get_running_loop().create_future()
        self._lines[0].ask(request(self._host, f"/v1/bots/{bot_id}/conversations", b"{}"))
        status, body = await self._answer
        if status != 201:
            raise Broken(f"no conversation: {status} {body!r}")
        self._answer = None
        created = msgspec.json.decode(body, type=_Created)
        self.id, self.token = created.conversation_id, created.token
        self._path = f"/v1/conversations/{self.id}/messages"
        if self._listens:
            await self._listen()

    async def _listen(self) -> None:
        self._stream = stream = await connect(self._host, lambda: Stream(self._heard, self))
        stream.open(self._host, f"/v1/conversations/{self.id}/stream", self.token)
        await asyncio.wait({stream.opened, self.failed}, return_when=asyncio.FIRST_COMPLETED)
        if self.failed.done():
            self.failed.result()

    def say(self, text: str, *, line: int = 0, message_id: str | None = None) -> None:
        """Post a message."""
        said = {"text": text} if message_id is None else {"text": text, "id": message_id}
        self._lines[line].ask(request(self._host, self._path, msgspec.json.encode(said), self.token))

    def close(self) -> None:
        """End all connections."""
        for line in self._lines:
            line.close()
        if self._stream is not None:
            self._stream.close()

    def lost(self, reason: str) -> None:
        """Fail."""
        if not self.failed.done():
            self.failed.set_exception(Broken(reason))

    def _answered(self, status: int, body: bytes) -> None:
        if self._answer is not None:
            self._answer.set_result((status, body))
        elif status == 202:
            self.accepted(body)
        else:
            self.lost(f"a message was refused: {status} {body!r}")

    def _heard(self, payload: bytes) -> None:
        said = _frames.decode(payload).message
        if said is None:
            self.lost(f"the stream says {payload!r}")
        elif said.sender == "bot":
            self.replied(said.text)


async def open_talks(talks: Sequence[Talk], bot_id: str) -> None:
    """Open conversations, a few at a time. Raises Broken."""
    for start in range(0, len(talks), 20):
        await asyncio.gather(*(talk.open(bot_id) for talk in talks[start : start + 20]))


async def until(done: Sequence[asyncio.Future[None]], talks: Sequence[Talk]) -> None:
    """Wait until all is done. Raises Broken as soon as a conversation fails, TimeoutError after two minutes."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        all_done = asyncio.ensure_future(asyncio.wait(done))
        waiting: set[asyncio.Future[Any]] = {all_done, *(talk.failed for talk in talks)}
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        all_done.cancel()
    for talk in talks:
        if talk.failed.done():
            talk.failed.result()
