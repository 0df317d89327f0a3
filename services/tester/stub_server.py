"""Answers on a loopback port for the services that bots of a running installation call.

The installation was started with `--rewrite-url https://api.example.com=http://127.0.0.1:<port>` for each of them.
One test runs at a time; its stubs are told from each other by the method and path of their integrations.
"""

import asyncio
import re

import msgspec
from aiohttp import web

from services.tester.calls import Answering, StubBook, Unexpected, check_request
from services.tester.suite import StubAnswer
from shared.bot.integration import Integration
from shared.bot.model import Bot
from shared.integration.request import Request

POSSIBLE = frozenset({"timeout", "lost"})
"""The failures that a server can make happen."""
_HOLE = "\0"
_FOR_EVER = 3600


class StubServer:
    """Listens on a port of this machine; what goes wrong is kept as `problem` until the test asks for it."""

    def __init__(self) -> None:
        self.problem: Unexpected | None = None
        self.busy = 0
        self._bot: Bot | None = None
        self._book = StubBook({})
        self._calls: dict[str, Answering] = {}
        self._runner: web.AppRunner | None = None

    async def start(self, port: int) -> int:
        """Begin to listen; return the port. Raises OSError when it is taken."""
        app = web.Application(client_max_size=8 << 20)
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        return int(self._runner.addresses[0][1])

    async def close(self) -> None:
        """Stop to listen."""
        if self._runner is not None:
            await self._runner.cleanup()

    def serve(self, bot: Bot, book: StubBook) -> None:
        """Answer for the integrations of a bot from now on."""
        self._bot, self._book, self._calls, self.problem = bot, book, {}, None

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.busy += 1
        try:
            return await self._stubbed(request)
        except Unexpected as problem:
            self.problem = self.problem or problem
            return web.json_response({"error": str(problem)}, status=501)
        finally:
            self.busy -= 1

    async def _stubbed(self, request: web.Request) -> web.StreamResponse:
        integration = self._called(request)
        key = request.headers.get("Idempotency-Key", f"{id(request)}")
        call = self._calls.setdefault(key, self._book.call(integration)) if key not in self._calls else self._calls[key]
        answer = call.next()
        if answer.request is not None:
            body = await request.read()
            made = Request(request.method, str(request.url), dict(request.headers), body or None)
            check_request(msgspec.structs.replace(answer.request, url=None), made)
        await asyncio.sleep(answer.delay_ms / 1000)
        return await _respond(request, answer)

    def _called(self, request: web.Request) -> Integration:
        """Return the integration a request is for: the one whose path has most in common with it."""
        integrations = self._bot.integrations.values() if self._bot else ()
        fitting = [one for one in integrations if one.method == request.method]
        best = [one for one in fitting if re.fullmatch(path_pattern(one), request.path)] or fitting
        if not best:
            raise Unexpected(f"a call arrives that no integration of the bot makes: {request.method} {request.path}")
        return max(best, key=lambda one: (one.name in self._book.stubs, len(path_pattern(one).replace(".*", ""))))


def path_pattern(integration: Integration) -> str:
    """Return an expression for the path of an integration's address, whatever its placeholders stand for."""
    text = "".join(part if isinstance(part, str) else _HOLE for part in integration.url.parts)
    path = re.sub(r"^https?://[^/?\0]*", "", text).partition("?")[0]
    return ".*".join(re.escape(part) for part in path.split(_HOLE)) or "/?"


async def _respond(request: web.Request, answer: StubAnswer) -> web.StreamResponse:
    if answer.failure == "timeout":
        await asyncio.sleep(_FOR_EVER)
    if answer.failure is not None and request.transport is not None:
        request.transport.abort()
    headers = {"Content-Type": "text/plain; charset=utf-8"} | answer.headers
    return web.Response(status=answer.status or 500, headers=headers, body=answer.body.encode())
