"""The API that the bot of the load calls: it answers `yes-<number>` after a moment, and notes what it was asked."""

import asyncio
import random
from collections import Counter

from aiohttp import web

_SLOWEST = 0.15


class Api:
    """A server on loopback. `orders` counts POSTs by what was ordered: each may arrive once."""

    def __init__(self, chance: random.Random) -> None:
        self.url = ""
        self.calls = 0
        self.orders: Counter[str] = Counter()
        self._chance = chance
        self._runner: web.AppRunner | None = None

    async def start(self, port: int) -> None:
        """Listen on a port of 127.0.0.1, 0 for a free one. Raises OSError when it is taken."""
        app = web.Application()
        app.router.add_get("/answer", self._get)
        app.router.add_post("/answer", self._post)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.url = "http://{}:{}".format(*self._runner.addresses[0][:2])

    async def close(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _get(self, request: web.Request) -> web.Response:
        return await self._answer(request.query.get("text", ""))

    async def _post(self, request: web.Request) -> web.Response:
        self.orders[request.headers.get("Idempotency-Key", "")] += 1
        return await self._answer((await request.json()).get("text", ""))

    async def _answer(self, text: str) -> web.Response:
        self.calls += 1
        await asyncio.sleep(self._chance.random() * _SLOWEST)
        return web.json_response({"text": f"yes-{text.rpartition(' ')[2]}"})
