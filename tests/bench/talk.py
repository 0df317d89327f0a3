"""One conversation as the benchmarks hold it: opened over HTTP, its replies heard over WebSocket, all of them checked."""

import asyncio
from collections.abc import Callable

import msgspec

from tests.bench.wire import Broken, Line, Stream, connect, request

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
    """One conversation. `accepted` is called for every 202, `replied` with every text of the bot.

    `failed` is done, with Broken, when anything else happens.
    """

    def __init__(self, host: str) -> None:
        self._host = host
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._line: Line
        self._stream: Stream
        self._path = ""
        self.token = ""
        self.id = ""
        self.accepted: Callable[[], None] = lambda: None
        self.replied: Callable[[str], None] = lambda _: None
        self.failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def open(self, bot_id: str) -> None:
        """Create the conversation and listen. Raises Broken."""
        self._line = await connect(self._host, lambda: Line(self._answered, self))
        self._answer = asyncio.get_running_loop().create_future()
        self._line.ask(request(self._host, f"/v1/bots/{bot_id}/conversations", b"{}"))
        status, body = await self._answer
        if status != 201:
            raise Broken(f"no conversation: {status} {body!r}")
        self._answer = None
        created = msgspec.json.decode(body, type=_Created)
        self.id, self.token = created.conversation_id, created.token
        self._path = f"/v1/conversations/{self.id}/messages"
        self._stream = await connect(self._host, lambda: Stream(self._heard, self))
        self._stream.open(self._host, f"/v1/conversations/{self.id}/stream", self.token)
        await asyncio.wait({self._stream.opened, self.failed}, return_when=asyncio.FIRST_COMPLETED)
        if self.failed.done():
            self.failed.result()

    def say(self, text: str) -> None:
        """Post a message; the one before must have been accepted."""
        self._line.ask(request(self._host, self._path, msgspec.json.encode({"text": text}), self.token))

    def close(self) -> None:
        """End both connections."""
        self._line.close()
        self._stream.close()

    def lost(self, reason: str) -> None:
        """Fail."""
        if not self.failed.done():
            self.failed.set_exception(Broken(reason))

    def _answered(self, status: int, body: bytes) -> None:
        if self._answer is not None:
            self._answer.set_result((status, body))
        elif status == 202:
            self.accepted()
        else:
            self.lost(f"a message was refused: {status} {body!r}")

    def _heard(self, payload: bytes) -> None:
        said = _frames.decode(payload).message
        if said is None:
            self.lost(f"the stream says {payload!r}")
        elif said.sender == "bot":
            self.replied(said.text)
