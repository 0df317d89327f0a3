"""The baseline: one aiohttp process with the same public contract that does the whole turn in one EVALSHA.

No queue, no script, no guarantees: what is measured against it is the price of these. `python -m tests.bench.inline
PORT REDIS_URL`.
"""

import asyncio
import secrets
import signal
import sys
import time
import uuid
from pathlib import Path

import msgspec
import uvloop
from aiohttp import web
from arq.connections import ArqRedis

from services.gateway.tokens import TokenExpired, Tokens, TokenWrong
from services.gateway.wire import (
    AckFrame,
    ConversationCreated,
    MessageAccepted,
    MessageFrame,
    MessageRequest,
    OutboxEntry,
    iso,
    message_json,
)
from shared.store.connection import connect

_DAY = 24 * 3600
_TTL_MS = 7 * _DAY * 1000
_TURN = Path(__file__).with_suffix(".lua").read_text()


class Inline:
    """Everything it knows: a Redis, the key of its tokens, and who listens."""

    def __init__(self, redis: ArqRedis) -> None:
        self._redis = redis
        self._turn = redis.register_script(_TURN)
        self._tokens = Tokens((secrets.token_hex(16),))
        self._streams: dict[str, set[web.WebSocketResponse]] = {}

    async def create(self, request: web.Request) -> web.Response:
        """Answer `POST /v1/bots/{bot}/conversations`."""
        await request.read()
        conversation_id, user_id = f"0-{secrets.token_hex(16)}", uuid.uuid4().hex
        key = f"inline:{conversation_id}"
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.hset(key, mapping={"bot": request.match_info["bot"], "user": user_id, "seq": 0})
            pipe.pexpire(key, _TTL_MS)
            await pipe.execute()
        expires_at = int(time.time()) + _DAY
        token = self._tokens.sign("conversation", conversation_id, expires_at)
        created = ConversationCreated(conversation_id, user_id, token, iso(expires_at * 1000))
        return _json(msgspec.json.encode(created), 201)

    async def post(self, request: web.Request) -> web.Response:
        """Answer `POST /v1/conversations/{conversation}/messages`: the turn is done when it returns."""
        conversation_id = request.match_info["conversation"]
        self._check(request.headers.get("Authorization", "").removeprefix("Bearer "), conversation_id)
        message = msgspec.json.decode(await request.read(), type=MessageRequest)
        return _json(msgspec.json.encode(await self._take(conversation_id, message)), 202)

    async def stream(self, request: web.Request) -> web.WebSocketResponse:
        """Answer `GET /v1/conversations/{conversation}/stream`; a frame of the client is a message too."""
        conversation_id = request.match_info["conversation"]
        offered = request.headers.get("Sec-WebSocket-Protocol", "").split(", ")
        self._check(offered[-1], conversation_id)
        socket = web.WebSocketResponse(protocols=("botlane.v1",), heartbeat=25.0, compress=False)
        await socket.prepare(request)
        streams = self._streams.setdefault(conversation_id, set())
        streams.add(socket)
        try:
            async for frame in socket:
                taken = await self._take(conversation_id, msgspec.json.decode(frame.data, type=MessageRequest))
                await socket.send_str(msgspec.json.encode(AckFrame(taken)).decode())
        finally:
            streams.discard(socket)
        return socket

    async def _take(self, conversation_id: str, message: MessageRequest) -> MessageAccepted:
        message_id = message.id or uuid.uuid4().hex
        echo = msgspec.json.encode(OutboxEntry("consumer", "text", message.text, message_id))
        places = [f"inline:{conversation_id}", f"inline:{conversation_id}:outbox"]
        answer = await self._turn(keys=places, args=[message.text, message_id, echo, _TTL_MS])
        if not answer:
            raise web.HTTPNotFound
        sequence, replied, at, reply = answer
        for number, entry in ((sequence, echo), (replied, reply)):
            frame = msgspec.json.encode(MessageFrame(message_json(number, at, entry))).decode()
            for socket in self._streams.get(conversation_id, ()):
                await socket.send_str(frame)
        return MessageAccepted(message_id, sequence, duplicate=False)

    def _check(self, token: str, conversation_id: str) -> None:
        try:
            subject, _ = self._tokens.verify("conversation", token, time.time())
        except (TokenWrong, TokenExpired):
            raise web.HTTPUnauthorized from None
        if subject != conversation_id:
            raise web.HTTPForbidden


def _json(body: bytes, status: int) -> web.Response:
    return web.Response(body=body, status=status, content_type="application/json")


async def serve(port: int, redis_url: str) -> None:
    """Serve until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    redis = connect(redis_url)
    inline = Inline(redis)
    app = web.Application()
    app.router.add_post("/v1/bots/{bot}/conversations", inline.create)
    app.router.add_post("/v1/conversations/{conversation}/messages", inline.post)
    app.router.add_get("/v1/conversations/{conversation}/stream", inline.stream)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await stop.wait()
    await runner.cleanup()
    await redis.aclose()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), sys.argv[2]))
