"""Loopback servers that misbehave on purpose."""

import asyncio
import gzip
import socket
import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

from aiohttp import web

LOOPBACK = ("127.0.0.0/8",)
_ZEROS = b"0" * 30_000_000
BOMBS = {"gzip": gzip.compress(_ZEROS, 1), "deflate": zlib.compress(_ZEROS, 1)}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Seen:
    """What arrived at the server: one entry a request."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, Mapping[str, str], bytes]] = []

    @property
    def count(self) -> int:
        return len(self.requests)

    @property
    def paths(self) -> list[str]:
        return [f"{method} {path}" for method, path, _, _ in self.requests]


class Server:
    """A server on a free loopback port: `url`, what it has `seen`, and `answers` to give one after the other."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.seen = Seen()
        self.answers: list[Any] = []
        self.released = asyncio.Event()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.seen.requests.append((request.method, request.path_qs, request.headers, body))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if callable(answer):
            return await answer(request)  # type: ignore[no-any-return]
        status, headers, text = answer
        return web.Response(status=status, headers=headers, body=text)

    def called(self, times: int) -> Callable[[], Awaitable[bool]]:
        """Ask whether so many requests have arrived."""

        async def enough() -> bool:
            return self.seen.count >= times

        return enough

    async def hang(self, _: web.Request) -> web.Response:
        await self.released.wait()
        return web.Response(text="late")


async def reset(request: web.Request) -> web.Response:
    """End the connection without an answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def cut(request: web.Request) -> web.StreamResponse:
    """End the connection in the middle of a body."""
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"half":')
    assert request.transport is not None
    request.transport.abort()
    return response


async def huge(request: web.Request) -> web.StreamResponse:
    """Send more than any limit, without saying how much."""
    response = web.StreamResponse()
    await response.prepare(request)
    with suppress(ConnectionError):
        for _ in range(64):
            await response.write(b"x" * 65_536)
    return response


async def nothing_packed(request: web.Request) -> web.StreamResponse:
    """Send a gzip with padding that never ends: it unpacks to nothing."""
    response = web.StreamResponse(headers={"Content-Encoding": "gzip"})
    await response.prepare(request)
    await response.write(gzip.compress(b""))
    with suppress(ConnectionError):
        while True:
            await response.write(b"\0" * 65_536)
    return response


def bomb(encoding: str) -> Handler:
    """Send a little that unpacks to 30 MB."""

    async def handle(_: web.Request) -> web.Response:
        return web.Response(body=BOMBS[encoding], headers={"Content-Encoding": encoding})

    return handle


def raw(*pieces: bytes, then: str = "close", every: float = 0.0) -> Handler:
    """Send bytes as they are, piece by piece; `then` close, abort, or go on with the last piece until nobody listens."""

    async def handle(request: web.Request) -> web.StreamResponse:
        transport = cast("asyncio.Transport", request.transport)  # uvloop's is no subclass
        for piece in pieces:
            transport.write(piece)
            await asyncio.sleep(every)
        while then == "go on" and not transport.is_closing():
            transport.write(pieces[-1])
            await asyncio.sleep(every)
        if then == "abort":
            transport.abort()
        transport.close()
        return web.Response()

    return handle


def late(seconds: float) -> Handler:
    """Answer well, but not at once."""

    async def handle(_: web.Request) -> web.Response:
        await asyncio.sleep(seconds)
        return web.json_response({"ok": 1})

    return handle


@asynccontextmanager
async def accepting_nobody() -> AsyncIterator[str]:
    """An address whose queue of connections is full: who connects waits."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = []
        for _ in range(3):
            one = socket.socket()
            one.setblocking(False)
            with suppress(BlockingIOError):
                one.connect(listener.getsockname())
            waiting.append(one)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            for one in waiting:
                one.close()


@asynccontextmanager
async def serving(tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    app = web.Application(client_max_size=2**22)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(f"{'http' if tls is None else 'https'}://127.0.0.1:{listener.getsockname()[1]}")
    app.router.add_route("*", "/{rest:.*}", server.handle)
    await runner.setup()
    await web.SockSite(runner, listener, ssl_context=tls).start()
    try:
        yield server
    finally:
        server.released.set()
        await runner.cleanup()
