"""The gateways of an installation and the requests of the load: each is one attempt, with how it ended."""

import asyncio
import hashlib
import random
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, Self

import aiohttp
import msgspec

from services.verifier.bot import BOT_ID
from services.verifier.history import Attempt, Heard, Outcome, message_id

CONNECTIONS = 2
"""Client sessions for each gateway."""
_LIMITS = aiohttp.ClientTimeout(total=15, sock_connect=2)
_CONNECTION_LOST = (aiohttp.ClientError, TimeoutError, OSError, UnicodeError)  # the last: a name no host can have
_WEB_VIEW = "/thirdparty-services-0.1/webview"


class Unreachable(Exception):  # noqa: N818 - the world, not a mistake of the caller
    """The installation does not answer: the message names its address."""


class NoBot(Exception):  # noqa: N818 - what the installation lacks
    """The bot of the load is not published there."""


class Opened(msgspec.Struct, frozen=True):
    """A conversation of the load."""

    id: str
    user_id: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        """What opens it."""
        return {"Authorization": f"Bearer {self.token}"}


class Way(msgspec.Struct, frozen=True):
    """One way in: a gateway and a client session of its own."""

    url: str
    session: aiohttp.ClientSession


class Gateways:
    """All gateways. `statuses` counts answers by status, `odd` keeps those that nothing explains."""

    def __init__(self, urls: Sequence[str]) -> None:
        self.statuses: Counter[int] = Counter()
        self.cut = 0
        self.odd: list[str] = []
        self._urls = [url.rstrip("/") for url in urls]
        self._ways: list[Way] = []

    async def __aenter__(self) -> Self:
        for url in self._urls:
            for _ in range(CONNECTIONS):
                connector = aiohttp.TCPConnector(limit=0)
                self._ways.append(Way(url, aiohttp.ClientSession(timeout=_LIMITS, connector=connector)))
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(way.session.close() for way in self._ways))

    def pick(self, chance: random.Random) -> Way:
        """Return one way in."""
        return chance.choice(self._ways)

    async def open(self, way: Way) -> Opened | None:
        """Begin a conversation; None when that was not possible now. Raises Unreachable, NoBot."""
        try:
            async with way.session.post(f"{way.url}/v1/bots/{BOT_ID}/conversations", json={}) as answer:
                self.statuses[answer.status] += 1
                if answer.status == 201:
                    body = await answer.json()
                    return Opened(body["conversationId"], body["userId"], body["token"])
                if answer.status == 404:
                    raise NoBot
                if answer.status == 429:
                    await asyncio.sleep(min(5.0, float(answer.headers.get("Retry-After", "1"))))
                    return None
                self._explain(answer.status, "opening a conversation")
                return None
        except _CONNECTION_LOST as error:
            raise Unreachable(f"No installation answers at {way.url}: start it, or give another address.") from error

    async def say(self, way: Way, opened: Opened, number: int, text: str) -> Attempt | None:
        """Post a message; None when it certainly never left."""
        body = {"id": message_id(opened.id, number), "text": text}
        address = f"{way.url}/v1/conversations/{opened.id}/messages"
        return await self._attempt(way, address, body, opened.headers)

    async def fill_in(self, way: Way, opened: Opened, number: int, text: str | None) -> Attempt | None:
        """Post a form, with a message or without; None when it certainly never left."""
        variables = [{"name": "v", "value": str(number)}]
        body: dict[str, Any] = {"botId": BOT_ID, "conversationId": opened.id, "userId": opened.user_id}
        body |= {"contextVariables": variables} | ({} if text is None else {"message": text})
        digest = hashlib.sha256(f"{opened.id} || {BOT_ID}".encode()).hexdigest()
        return await self._attempt(way, way.url + _WEB_VIEW, body, {"Authorization": digest})

    async def read(self, way: Way, opened: Opened, after: int, wait: int = 0) -> tuple[list[Heard], bool] | None:
        """Return a page of messages and whether older ones were trimmed; None when it cannot be read now."""
        address = f"{way.url}/v1/conversations/{opened.id}/messages?after={after or ''}&wait={wait}"
        limits = aiohttp.ClientTimeout(total=wait + 15, sock_connect=2)
        try:
            async with way.session.get(address, headers=opened.headers, timeout=limits) as answer:
                self.statuses[answer.status] += 1
                if answer.status != 200:
                    self._explain(answer.status, "reading a conversation")
                    return None
                page = await answer.json()
        except _CONNECTION_LOST:
            self.cut += 1
            return None
        now = time.monotonic()
        return [heard(message, now) for message in page["messages"]], bool(page.get("gap"))

    async def _attempt(self, way: Way, address: str, body: dict[str, Any], headers: dict[str, str]) -> Attempt | None:
        begun = time.monotonic()
        try:
            async with way.session.post(address, json=body, headers=headers) as answer:
                status, said = answer.status, await answer.json()
        except aiohttp.ClientConnectorError:
            return None
        except _CONNECTION_LOST:
            self.cut += 1
            return Attempt(begun, time.monotonic(), "unknown")
        self.statuses[status] += 1
        ended = time.monotonic()
        if status == 202:
            return Attempt(begun, ended, "duplicate" if said["duplicate"] else "accepted", said["sequence"], status)
        if status == 200:
            return Attempt(begun, ended, "accepted", int(said["receipt"].rpartition("-")[2]), status)
        self._explain(status, "a message")
        return Attempt(begun, ended, outcome_of(status), status=status)

    def _explain(self, status: int, what: str) -> None:
        if status not in (429, 503):
            self.odd.append(f"{what} was answered with {status}")


def outcome_of(status: int) -> Outcome:
    """Tell what an answer other than success says about the message: after a failure inside nobody knows."""
    return "unknown" if status >= 500 else "refused"


def heard(message: dict[str, Any], at: float) -> Heard:
    """Read a message of a conversation."""
    text = message.get("text", f"({message['type']})")
    return Heard(int(message["id"]), message["from"], text, at, message.get("clientId", ""))
