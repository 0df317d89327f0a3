"""Consumers under load: each says words one after the other, whatever happens, and remembers what it was told.

They do what the contract asks of a client, and no more: a message keeps its id when it is sent again, 503 and a broken
connection are tried again (at the next gateway), a stream is resumed by its cursor.
"""

import asyncio
import contextlib
import itertools
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp import web

from tests.journeys.counting_bot import ASK_GET, BOT_ID

PATIENCE = 60.0
AGAIN_SECONDS = 0.1  # sooner than Retry-After asks, so that the time without service is measured


class Talker:
    """One conversation with the counting bot. `urls` are gateways.

    A talker who `waits` says nothing before the last word was answered; one who `asks` has every fifth word answered
    by an API, which is `echoes` below.
    """

    def __init__(self, urls: Sequence[str], *, waits: bool = True, asks: bool = False, pause: float = 0.0) -> None:
        self.urls = list(urls)
        self.id = ""
        self.said: list[str] = []
        self.accepted: dict[str, int] = {}
        self.accepted_at: dict[str, float] = {}
        self.heard: list[dict[str, Any]] = []
        self.statuses: Counter[int] = Counter()
        self.closes: Counter[int] = Counter()
        self.broken = 0  # connections that were refused or broke off
        self.stalls: list[tuple[float, float]] = []  # when a word was first sent, seconds to its reply
        self._waits = waits
        self._asks = asks
        self._pause = pause
        self._cursor = ""
        self._more = asyncio.Event()
        self._http: aiohttp.ClientSession
        self._listening: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20))
        body = await self._insist("POST", f"/v1/bots/{BOT_ID}/conversations", {}, 201)
        self.id, self._token = body["conversationId"], body["token"]
        self._listening = asyncio.create_task(self._listen())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._listening
        await self._http.close()

    @property
    def replies(self) -> list[str]:
        return [message["text"] for message in self.heard if message["from"] == "bot"]

    @property
    def longest(self) -> float:
        return max((seconds for _, seconds in self.stalls), default=0.0)

    async def talk(self, goes_on: Callable[[int], bool]) -> None:
        """Say words as long as `goes_on(number of words said)`."""
        while goes_on(len(self.said)):
            number = len(self.said) + 1
            await self.say(f"{ASK_GET} {number}" if self._asks and number % 5 == 0 else f"word {number}")
            if self._pause:
                await asyncio.sleep(self._pause)

    async def say(self, text: str) -> None:
        began = time.monotonic()
        self.said.append(text)
        path = f"/v1/conversations/{self.id}/messages"
        body = await self._insist("POST", path, {"id": f"m{len(self.said)}", "text": text}, 202)
        self.accepted[text], self.accepted_at[text] = body["sequence"], time.monotonic()
        if self._waits:
            await self.has_replies(len(self.said))
            self.stalls.append((began, time.monotonic() - began))

    async def has_replies(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while len(self.replies) < count:
                self._more.clear()
                await self._more.wait()

    async def everything(self) -> list[dict[str, Any]]:
        """Read the conversation again from its start."""
        found: list[dict[str, Any]] = []
        while True:
            after = found[-1]["id"] if found else ""
            page = await self._insist("GET", f"/v1/conversations/{self.id}/messages?after={after}", None, 200)
            if not page["messages"]:
                return found
            found += page["messages"]

    async def faults(self) -> list[str]:
        """Say what is wrong with what was heard, against what was accepted: nothing, in a sound installation."""
        faults = []
        expected = replies_to(sorted(self.accepted, key=lambda text: self.accepted[text]))
        if self.replies != expected:
            faults.append(f"{self.id}: heard {self.replies}, not {expected}")
        numbers = [int(message["id"]) for message in self.heard]
        if numbers != sorted(set(numbers)):
            faults.append(f"{self.id}: sequences {numbers} do not rise")
        if (stored := await self.everything()) != self.heard:
            faults.append(f"{self.id}: heard {self.heard}, but stored is {stored}")
        if wrong := set(self.statuses) - {200, 201, 202, 503}:
            faults.append(f"{self.id}: answered {wrong}")
        return faults

    async def lost(self) -> list[str]:
        """Return the words that were accepted and are not there any more, when all that are there were answered."""
        deadline = time.monotonic() + PATIENCE
        while True:
            stored = await self.everything()
            words = [message["text"] for message in stored if message["from"] == "consumer"]
            replies = [message["text"] for message in stored if message["from"] == "bot"]
            if replies == replies_to(words) or time.monotonic() > deadline:
                break
            await asyncio.sleep(0.2)
        if replies != replies_to(words) or len(words) != len(set(words)):
            raise AssertionError(f"{self.id}: said {words}, answered {replies}")
        return [text for text in self.accepted if text not in words]

    async def _insist(self, method: str, path: str, body: Any, wanted: int) -> Any:
        """Send until the answer is the wanted one; anything but that and 503 fails."""
        headers = {"Authorization": f"Bearer {self._token}"} if self.id else {}
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                async with self._http.request(method, self.urls[0] + path, json=body, headers=headers) as answer:
                    self.statuses[answer.status] += 1
                    if answer.status == wanted:
                        return await answer.json()
                    assert answer.status == 503, (answer.status, await answer.text())
                    assert int(answer.headers["Retry-After"]) > 0
            except aiohttp.ClientError:
                self._turn()
            await asyncio.sleep(AGAIN_SECONDS)
        raise AssertionError(f"{method} {path} was not answered by {wanted} within {PATIENCE} s: {self.statuses}")

    def _turn(self) -> None:
        self.broken += 1
        self.urls.append(self.urls.pop(0))

    async def _listen(self) -> None:
        while True:
            path = f"{self.urls[0]}/v1/conversations/{self.id}/stream?after={self._cursor}"
            try:
                async with self._http.ws_connect(path, protocols=("botlane.v1", self._token)) as socket:
                    await self._hear(socket)
                    if socket.close_code is not None:
                        self.closes[socket.close_code] += 1
                    self.urls.append(self.urls.pop(0))
            except aiohttp.WSServerHandshakeError as refused:
                self.statuses[refused.status] += 1
            except aiohttp.ClientError:
                self._turn()
            await asyncio.sleep(AGAIN_SECONDS)

    async def _hear(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for frame in socket:
            message = json.loads(frame.data).get("message")
            if message is not None:
                self._cursor = message["id"]
                self.heard.append(message)
                self._more.set()


def replies_to(words: Iterable[str]) -> list[str]:
    """What the counting bot answers to these words, in this order."""
    counted = itertools.count(1)
    return [f"Answer: {text}" if text.startswith(ASK_GET) else f"message {next(counted)}: {text}" for text in words]


async def echoes(request: web.Request) -> web.Response:
    """Answer a question with itself."""
    return web.json_response({"text": request.query["text"]})


@contextlib.asynccontextmanager
async def talkers(count: int, urls: Sequence[str], **options: Any) -> AsyncIterator[list[Talker]]:
    """Open conversations side by side."""
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(Talker(urls, **options)) for _ in range(count)]


async def together(talking: Sequence[Talker], what: Callable[[Talker], Awaitable[Any]]) -> list[Any]:
    return await asyncio.gather(*(what(talker) for talker in talking))


async def all_faults(talking: Sequence[Talker]) -> list[str]:
    return [fault for faults in await together(talking, Talker.faults) for fault in faults]


def total(talking: Sequence[Talker], status: int) -> int:
    return sum(talker.statuses[status] for talker in talking)
