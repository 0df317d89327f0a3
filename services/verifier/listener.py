"""Listens to one conversation over WebSocket or by long polls, and comes back with its cursor when a gateway dies."""

import asyncio
import contextlib
import random
import time

import aiohttp
import msgspec

from services.verifier.gateways import Gateways, Opened, Way, heard, outcome_of
from services.verifier.history import Attempt, Heard, Listening, message_id

_AGAIN_SECONDS = 0.05
_ACK_SECONDS = 15.0
_POLL_SECONDS = 5
_HEARTBEAT_SECONDS = 20
_REFUSALS = {"unavailable": 503, "inbox_full": 429}


class Listener:
    """The ear of one conversation; with a stream also one of its mouths."""

    def __init__(self, gateways: Gateways, opened: Opened, chance: random.Random, *, streams: bool) -> None:
        self.listened: list[Listening] = []
        self.cursor = 0
        self.news = asyncio.Event()
        self._gateways = gateways
        self._opened = opened
        self._chance = chance
        self._streams = streams
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._acks: dict[str, asyncio.Future[Attempt]] = {}
        self._task = asyncio.create_task(self._listen())

    async def close(self) -> None:
        """Stop listening. Raises what ended the listening, if anything did."""
        while not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=0.5)
        with contextlib.suppress(asyncio.CancelledError):
            self._task.result()

    @property
    def can_send(self) -> bool:
        """Whether there is a stream to send on now."""
        return self._socket is not None and not self._socket.closed

    async def say(self, number: int, text: str) -> Attempt | None:
        """Send a message on the stream; None when it certainly never left."""
        socket, key = self._socket, message_id(self._opened.id, number)
        if socket is None or socket.closed or key in self._acks:
            return None
        begun = time.monotonic()
        answer = self._acks[key] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(_ACK_SECONDS):
                await socket.send_str(msgspec.json.encode({"id": key, "text": text}).decode())
                ended: Attempt = await answer
            return Attempt(begun, ended.ended, ended.outcome, ended.sequence, ended.status)
        except (TimeoutError, aiohttp.ClientError, OSError):
            return Attempt(begun, time.monotonic(), "unknown")
        finally:
            del self._acks[key]

    async def _listen(self) -> None:
        while True:
            way = self._gateways.pick(self._chance)
            try:
                await (self._stream(way) if self._streams else self._poll(way))
            except (aiohttp.ClientError, OSError, TimeoutError):
                self._gateways.cut += 1
            finally:
                self._socket = None
                for answer in self._acks.values():
                    if not answer.done():
                        answer.set_result(Attempt(0.0, time.monotonic(), "unknown"))
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _stream(self, way: Way) -> None:
        listening = Listening(self.cursor)
        address = f"{way.url}/v1/conversations/{self._opened.id}/stream?after={self.cursor or ''}"
        protocols = ("botlane.v1", self._opened.token)
        async with way.session.ws_connect(address, protocols=protocols, heartbeat=_HEARTBEAT_SECONDS) as socket:
            self.listened.append(listening)
            self._socket = socket
            async for frame in socket:
                if frame.type is aiohttp.WSMsgType.TEXT:
                    self._take(listening, msgspec.json.decode(frame.data, type=dict))

    def _take(self, listening: Listening, frame: dict[str, object]) -> None:
        now = time.monotonic()
        match frame:
            case {"message": dict(message)}:
                self._hear(listening, [heard(message, now)])
            case {"ack": {"id": str(key), "sequence": int(sequence), "duplicate": bool(duplicate)}}:
                self._answer(key, Attempt(0.0, now, "duplicate" if duplicate else "accepted", sequence, 202))
            case {"error": {"code": str(code)}, "id": str(key)}:
                status = _REFUSALS.get(code, 400)
                self._gateways.statuses[status] += 1
                if status == 400:
                    self._gateways.odd.append(f"a frame was answered with {code}")
                self._answer(key, Attempt(0.0, now, outcome_of(status), status=status))
            case {"gap": True}:
                listening.gap = True
            case {"error": {"code": str(code)}}:
                if code not in _REFUSALS:
                    self._gateways.odd.append(f"a stream was ended with {code}")
            case _:
                self._gateways.odd.append("a stream sent a frame that is none of its kinds")

    def _answer(self, key: str, attempt: Attempt) -> None:
        answer = self._acks.get(key)
        if answer is not None and not answer.done():
            answer.set_result(attempt)

    async def _poll(self, way: Way) -> None:
        listening = Listening(self.cursor)
        self.listened.append(listening)
        while True:
            page = await self._gateways.read(way, self._opened, self.cursor, _POLL_SECONDS)
            if page is None:
                return
            listening.gap = listening.gap or page[1]
            self._hear(listening, page[0])

    def _hear(self, listening: Listening, messages: list[Heard]) -> None:
        for message in messages:
            listening.heard.append(message)
            self.cursor = max(self.cursor, message.sequence)
        if messages:
            self.news.set()
