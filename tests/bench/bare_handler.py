"""An aiohttp handler that does nothing but INGEST: what accepting costs at least.

`python -m tests.bench.bare_handler PORT REDIS_URL`. Conversations are opened as in the gateway, messages are accepted
by the same script with the same arguments; no token is checked, no body is validated, no counter kept.
"""

import asyncio
import signal
import sys
from typing import Any

import msgspec
import uvloop
from aiohttp import web
from arq.connections import ArqRedis

from services.settings import Settings
from shared.queue.mailbox import Mailbox
from shared.queue.records import NewConversation
from shared.store.connection import connect
from shared.store.keys import new_conversation_id

_EVENT = b'{"type":"message","text":"%s"}'
_ECHO = b'{"from":"consumer","type":"text","text":"%s","clientId":"0123456789abcdef0123456789abcdef"}'


class Bare:
    """The two handlers."""

    def __init__(self, redis: ArqRedis) -> None:
        settings = Settings()
        self._mailbox = Mailbox(
            redis,
            conversation_ttl=settings.conversation_ttl,
            inbox_limit=settings.inbox_limit,
            trace_ttl=settings.trace_ttl,
        )
        self._number = 0

    async def create(self, request: web.Request) -> web.Response:
        """Open a conversation."""
        new = NewConversation(new_conversation_id(0), request.match_info["bot"], "consumer", "lp_web")
        await self._mailbox.create(new)
        return _answer({"conversationId": new.id, "token": "none"}, 201)

    async def post(self, request: web.Request) -> web.Response:
        """Accept a message."""
        text = msgspec.json.decode(await request.read())["text"].encode()
        self._number += 1
        conversation_id, message_id = request.match_info["conversation"], str(self._number)
        accepted = await self._mailbox.ingest_message(conversation_id, message_id, _EVENT % text, _ECHO % text)
        return _answer({"id": message_id, "sequence": accepted.sequence, "duplicate": False}, 202)


def _answer(body: dict[str, Any], status: int) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), status=status, content_type="application/json")


async def serve(port: int, redis_url: str) -> None:
    """Serve until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    redis = connect(redis_url)
    bare, app = Bare(redis), web.Application()
    app.router.add_post("/v1/bots/{bot}/conversations", bare.create)
    app.router.add_post("/v1/conversations/{conversation}/messages", bare.post)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await stop.wait()
    await runner.cleanup()
    await redis.aclose()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), sys.argv[2]))
