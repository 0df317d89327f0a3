"""The WebSocket of a conversation: its messages as they come, and the consumer's own with an acknowledgement.

Both directions pull: the next page of the outbox is read when the last one was sent, the next frame is read when the
last one was answered, so a slow client fills no memory here.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from services.gateway import metrics
from services.gateway.access import credential_of
from services.gateway.bodies import decode
from services.gateway.cross_origin import refuse_foreign_pages
from services.gateway.errors import Refused, gone, unavailable
from services.gateway.messages import accept, cursor_of
from services.gateway.notifications import REREAD_SECONDS, Bell
from services.gateway.parts import PARTS, Parts
from services.gateway.wire import (
    MESSAGE_BODY_LIMIT,
    AckFrame,
    ErrorFrame,
    GapFrame,
    MessageFrame,
    MessageRequest,
    TokenFrame,
    Wire,
    message_json,
)
from shared.store.connection import RedisUnreachable

SUBPROTOCOL = "botlane.v1"
HEARTBEAT_SECONDS = 25.0
FIRST_FRAME_SECONDS = 10.0
PAGE = 200
_SEND_SECONDS = 30.0
_CLOSE_SECONDS = 1.0
_AWAY_PAUSE_SECONDS = 1.0
_CLOSE_CODES = {"unauthorized": 4401, "token_expired": 4401, "forbidden": 4403, "not_found": 4404}
_INVALID = 4400


async def open_stream(request: web.Request) -> web.WebSocketResponse:
    """Answer `GET /v1/conversations/{conversation}/stream?after=`.

    A page of another site is refused (403) unless its origin is allowed. A credential that came with the handshake is
    judged before it (401, 403, 404), one that comes as the first frame after it (4401, 4403, 4404).
    """
    parts = request.app[PARTS]
    conversation_id = request.match_info["conversation"]
    socket = web.WebSocketResponse(
        protocols=(SUBPROTOCOL,),
        heartbeat=HEARTBEAT_SECONDS,
        timeout=_CLOSE_SECONDS,
        compress=False,
        max_msg_size=4 * MESSAGE_BODY_LIMIT,  # what is larger than a message but not than this gets an error frame
    )
    if not socket.can_prepare(request):
        raise Refused("invalid_request", "This address speaks WebSocket: connect with a WebSocket client.")
    refuse_foreign_pages(request)
    after = cursor_of(request)
    stream = _Stream(parts, conversation_id, socket)
    credential = _handshake_credential(request)
    if credential is not None:
        await stream.admit(credential)
    await socket.prepare(request)
    try:
        with metrics.STREAMS.track_inprogress(), stream.watched(request.transport):
            await stream.serve(after, admitted=credential is not None)
    except ConnectionError:
        pass  # the client has left
    return socket


def _handshake_credential(request: web.Request) -> str | None:
    """Return the second subprotocol or the Authorization header; None when the first frame is to bring the token."""
    if "token" in request.query:
        raise Refused("invalid_request", "A token never stands in an address: send it as the second subprotocol.")
    offered = [item.strip() for item in request.headers.get("Sec-WebSocket-Protocol", "").split(",") if item.strip()]
    if offered and offered[0] != SUBPROTOCOL:
        raise Refused("invalid_request", f"The first subprotocol must be `{SUBPROTOCOL}`, the second the token.")
    return offered[1] if len(offered) > 1 else credential_of(request)


class _Stream:
    """One open socket."""

    def __init__(self, parts: Parts, conversation_id: str, socket: web.WebSocketResponse) -> None:
        self._parts = parts
        self._conversation_id = conversation_id
        self._socket = socket
        self._sending = asyncio.Lock()
        self._sending_since: float | None = None
        self._ends_at: int | None = None

    async def admit(self, credential: str) -> None:
        """Let the caller in. Raises Refused."""
        self._ends_at = await self._parts.access.admit(credential, self._conversation_id)
        if await self._parts.mailbox.about(self._conversation_id) is None:
            raise gone()

    @contextmanager
    def watched(self, transport: asyncio.Transport | None) -> Iterator[None]:
        """Cut off who reads nothing of a frame for long: a timer for each frame would cost more than the frame."""
        loop = asyncio.get_running_loop()

        def look() -> None:
            since = self._sending_since
            if since is None or loop.time() - since < _SEND_SECONDS:
                self._watching = loop.call_later(_SEND_SECONDS / 2, look)
            elif transport is not None:
                transport.abort()  # it would not read a close frame either

        self._watching = loop.call_later(_SEND_SECONDS / 2, look)
        try:
            yield
        finally:
            self._watching.cancel()

    async def serve(self, after: int, *, admitted: bool) -> None:
        """Talk until the client leaves, the token ends, the conversation is gone or the gateway stops."""
        try:
            if not admitted:
                await self.admit(await self._first_frame())
            await self._converse(after)
        except Refused as refused:
            await self._close(refused)
        except RedisUnreachable:
            await self._close(unavailable())
        else:
            await self._socket.close(code=WSCloseCode.GOING_AWAY, message=b"the gateway stops")

    async def _first_frame(self) -> str:
        try:
            async with asyncio.timeout(FIRST_FRAME_SECONDS):
                frame = await self._socket.receive()
        except TimeoutError:
            frame = None
        if frame is None or frame.type is not WSMsgType.TEXT:
            raise Refused("unauthorized", 'A token is needed: send {"token": "…"} as the first frame.')
        return decode(frame.data.encode(), TokenFrame).token

    async def _converse(self, after: int) -> None:
        left = None if self._ends_at is None else max(0.0, self._ends_at - time.time())
        with self._parts.notifications.listen(self._conversation_id) as bell:
            tasks = [asyncio.create_task(self._receive()), asyncio.create_task(self._deliver(bell, after))]
            try:
                done, _ = await asyncio.wait(tasks, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        if not done:
            raise Refused("token_expired", "The token has expired: create a new conversation.")
        for task in done:
            task.result()

    async def _receive(self) -> None:
        """Answer frames, one after the other, until the client leaves."""
        async for frame in self._socket:
            if frame.type is WSMsgType.TEXT:
                await self._take(frame.data.encode())
            else:
                await self._refuse(b"", Refused("invalid_request", "Frames must be JSON text."))

    async def _take(self, body: bytes) -> None:
        try:
            if len(body) > MESSAGE_BODY_LIMIT:
                limit = MESSAGE_BODY_LIMIT // 1024
                raise Refused("too_large", f"The frame is larger than {limit} KiB: send less.")  # noqa: TRY301 - one answer for all refusals
            message = decode(body, MessageRequest)
            accepted = await accept(self._parts.mailbox, self._conversation_id, message)
        except Refused as refused:
            if refused.code == "not_found":
                raise
            await self._refuse(body, refused)
        except RedisUnreachable:
            await self._refuse(body, unavailable())
        else:
            await self._send(AckFrame(accepted))

    async def _deliver(self, bell: Bell, after: int) -> None:
        """Send the outbox after a cursor, and what is added to it, until the gateway stops."""
        while not bell.stopping:
            bell.mute()
            try:
                page = await self._parts.mailbox.read(self._conversation_id, after, PAGE)
            except RedisUnreachable:
                await asyncio.sleep(_AWAY_PAUSE_SECONDS)
                continue
            if page is None:
                raise gone()
            if page.gap:
                await self._send(GapFrame(gap=True))
            after = await self._send_all(page.messages, page.cursor)
            if len(page.messages) < PAGE:
                after = await self._follow(bell, after)

    async def _follow(self, bell: Bell, after: int) -> int:
        """Send what the hints tell, until they leave a hole or it is time to read again; return the cursor."""
        reread = bell.ring_later(REREAD_SECONDS)  # one timer for all hints until then
        try:
            while not bell.stopping:
                await bell.rung()
                messages = bell.following(after)
                if messages is None or not await self._may_show(messages):
                    break
                after = await self._send_all(messages, after)
        finally:
            reread.cancel()
        return after

    async def _may_show(self, messages: Sequence[object]) -> bool:
        """Whether what a hint told is safe where the operator wants it to be; if not, it is read again."""
        try:
            if messages:
                await self._parts.mailbox.confirm(self._conversation_id)
        except RedisUnreachable:
            return False
        return True

    async def _send_all(self, messages: Sequence[tuple[int, int, bytes]], cursor: int) -> int:
        """Send messages and return the sequence of the last one, `cursor` when there is none."""
        for message in messages:
            await self._send(MessageFrame(message_json(*message)))
            cursor = max(cursor, message[0])
        return cursor

    async def _refuse(self, body: bytes, refused: Refused) -> None:
        metrics.refused(refused.code).inc()
        await self._send(ErrorFrame(refused.problem, _id_of(body)))

    async def _send(self, frame: Wire) -> None:
        async with self._sending:
            self._sending_since = asyncio.get_running_loop().time()
            await self._socket.send_frame(msgspec.json.encode(frame), WSMsgType.TEXT)
            self._sending_since = None

    async def _close(self, refused: Refused) -> None:
        metrics.refused(refused.code).inc()
        await self._send(ErrorFrame(refused.problem))
        await self._socket.close(code=_CLOSE_CODES.get(refused.code, _INVALID), message=refused.code.encode())


class _Named(msgspec.Struct):
    id: str


def _id_of(body: bytes) -> str | msgspec.UnsetType:
    """Return the id of a message that could not be taken, so that its sender knows which one it was."""
    try:
        return msgspec.json.decode(body[: 4 * MESSAGE_BODY_LIMIT], type=_Named).id
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return msgspec.UNSET
