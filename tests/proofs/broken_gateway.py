"""A gateway that breaks one promise: it stands before a real one, passes everything on, and does one thing wrong."""

import asyncio
import json
from collections.abc import Callable
from typing import Any, Self

import aiohttp
from aiohttp import web

Json = dict[str, Any]
_THIRD = 3


class BrokenGateway:
    """Passes on to `url`. `fault` says what it does to the third message or answer that it sees; empty: nothing.

    loses a message      acknowledged, never passed on         doubles a message    passed on again under another id
    delays a message     acknowledged, passed on after the next one of its conversation
    loses an answer, doubles an answer, swaps answers, changes an answer     on the way to the consumer
    """

    def __init__(self, url: str, fault: str = "") -> None:
        self.url = ""
        self.seen = 0
        self._to = url
        self._fault = fault
        self._held: dict[str, Callable[[], Any]] = {}
        self._sequences: dict[str, int] = {}
        self._runner: web.AppRunner | None = None
        self._http: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession()
        app = web.Application()
        app.router.add_get("/v1/conversations/{id}/stream", self._stream)
        app.router.add_post("/v1/conversations/{id}/messages", self._message)
        app.router.add_route("*", "/{path:.*}", self._pass_on)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = "http://{}:{}".format(*self._runner.addresses[0][:2])
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        await self._http.close()

    async def _ask(self, request: web.Request, body: bytes) -> web.Response:
        headers = {name: value for name, value in request.headers.items() if name in ("Authorization", "Content-Type")}
        address = f"{self._to}{request.path_qs}"
        async with self._http.request(request.method, address, data=body, headers=headers) as answer:
            return web.Response(status=answer.status, body=await answer.read(), content_type=answer.content_type)

    async def _pass_on(self, request: web.Request) -> web.Response:
        return await self._ask(request, await request.read())

    async def _message(self, request: web.Request) -> web.Response:
        body = await request.read()
        talk = request.match_info["id"]
        turn = self._is_turn("message")
        if turn and self._fault == "delays a message":
            self._held[talk] = lambda: self._ask(request, body)
        if turn and self._fault != "doubles a message":
            said = {"id": json.loads(body)["id"], "sequence": self._sequences.get(talk, 0) + 1, "duplicate": False}
            return web.json_response(said, status=202)
        answer = await self._ask(request, body)
        if answer.status == 202:
            self._sequences[talk] = json.loads(bytes(answer.body))["sequence"]  # type: ignore[arg-type] # it was read
        if turn:
            message = json.loads(body)
            await self._ask(request, json.dumps({**message, "id": message["id"] + " again"}).encode())
        if talk in self._held:
            await self._held.pop(talk)()
        return answer

    def _is_turn(self, what: str) -> bool:
        """Count what the fault is about; the third of them is the one."""
        if what not in self._fault:
            return False
        self.seen += 1
        return self.seen == _THIRD

    async def _stream(self, request: web.Request) -> web.WebSocketResponse:
        offered = [part.strip() for part in request.headers["Sec-WebSocket-Protocol"].split(",")]
        inner = web.WebSocketResponse(protocols=offered[:1])
        await inner.prepare(request)
        address = f"{self._to}{request.path_qs}"
        async with self._http.ws_connect(address, protocols=offered) as outer:
            ways = [asyncio.create_task(_copy(inner, outer)), asyncio.create_task(self._answers(outer, inner))]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
        await inner.close()
        return inner

    async def _answers(self, outer: aiohttp.ClientWebSocketResponse, inner: web.WebSocketResponse) -> None:
        held = ""
        async for frame in outer:
            text = str(frame.data)
            message = json.loads(text).get("message", {})
            if message.get("from") == "bot" and self._is_turn("answer"):
                if self._fault == "loses an answer":
                    continue
                if self._fault == "doubles an answer":
                    await inner.send_str(text)
                if self._fault == "changes an answer":
                    text = text.replace('"text":"', '"text":"9')
                if self._fault == "swaps answers":
                    held = text
                    continue
            await inner.send_str(text)
            if held and message:
                await inner.send_str(held)
                held = ""


async def _copy(one: web.WebSocketResponse, other: aiohttp.ClientWebSocketResponse) -> None:
    async for frame in one:
        await other.send_str(str(frame.data))
