"""A consumer: opens a conversation over HTTP, listens over WebSocket, and says what it heard, in order."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

PATIENCE = 60.0


class Words:
    """What the interactions of an export say, by their names, so that no test repeats a bot's texts."""

    def __init__(self, export: Path) -> None:
        self._export = json.loads(export.read_text())
        self.bot_id: str = self._export["bot"]["id"]
        self._tiles = {
            message["name"]: (message["content"].get("results") or {}).get("tile", {}).get("tileData", [{}])[0]
            for message in self._export["conversationMessage"]
        }
        self._rules = {message["name"]: message["responseMatches"] for message in self._export["conversationMessage"]}

    def text(self, interaction: str, **variables: str) -> str:
        found: str = self._tiles[interaction]["text"]
        for name, value in variables.items():
            found = found.replace("{$botContext." + name + "}", value)
        return found

    def no_match(self, interaction: str) -> str:
        for rule in self._rules[interaction]:
            for condition in rule["conditions"]:
                if condition["matchType"] == "NO_MATCH":
                    return str(condition["noMatch"]["fallbackMessage"])
        raise AssertionError(f"{interaction} has no NO_MATCH rule")

    def card(self, interaction: str) -> dict[str, Any]:
        found = json.loads(self._tiles[interaction]["universalWidget"]["leMessageJson"])
        assert isinstance(found, dict)
        return found

    def choices(self, interaction: str) -> list[str]:
        return [choice.strip() for choice in self._tiles[interaction]["multipleChoice"]["multipleChoices"]]


class Consumer:
    """One conversation, from the consumer's side."""

    def __init__(self, url: str, bot_id: str, **claims: Any) -> None:
        self.url = url
        self.bot_id = bot_id
        self.claims = claims
        self.conversation_id = ""
        self.user_id = ""
        self.token = ""
        self.heard: list[dict[str, Any]] = []
        self._http: aiohttp.ClientSession
        self._socket: aiohttp.ClientWebSocketResponse

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession()
        async with self._http.post(f"{self.url}/v1/bots/{self.bot_id}/conversations", json=self.claims) as answer:
            body = await answer.json()
            assert answer.status == 201, body
        self.conversation_id, self.user_id, self.token = body["conversationId"], body["userId"], body["token"]
        await self.listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._socket.close()
        await self._http.close()

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def listen(self, after: str = "") -> None:
        self._socket = await self._http.ws_connect(
            f"{self.url}/v1/conversations/{self.conversation_id}/stream",
            params={"after": after},
            protocols=("botlane.v1", self.token),
        )

    @asynccontextmanager
    async def resumed(self, after: str) -> AsyncIterator[None]:
        """Come back to the conversation later, with the token and the cursor of before."""
        self._http = aiohttp.ClientSession()
        await self.listen(after)
        yield
        await self._socket.close()
        await self._http.close()

    @asynccontextmanager
    async def sending(self, path: str, body: dict[str, Any]) -> AsyncIterator[aiohttp.ClientResponse]:
        """Post, and look at the answer as it comes."""
        async with self._http.post(f"{self.url}{path}", json=body, headers=self.headers) as answer:
            yield answer

    async def say(self, text: str, **more: Any) -> dict[str, Any]:
        """Send a message and return the acknowledgement; its echo is taken off what is heard."""
        path = f"{self.url}/v1/conversations/{self.conversation_id}/messages"
        async with self._http.post(path, json={"text": text, **more}, headers=self.headers) as answer:
            body = await answer.json()
            assert answer.status == 202, body
            assert isinstance(body, dict)
        if not body["duplicate"]:
            echo = await self.next()
            assert echo["from"] == "consumer", echo
            assert echo["text"] == text
        return body

    async def next(self) -> dict[str, Any]:
        """Return the next message of the stream."""
        while True:
            frame = await asyncio.wait_for(self._socket.receive(), PATIENCE)
            if frame.type is not aiohttp.WSMsgType.TEXT:
                raise AssertionError(f"the stream ended: {frame.type} {frame.data}")
            message = json.loads(frame.data).get("message")
            if message is not None:
                self.heard.append(message)
                return dict(message)

    async def hears(self, text: str) -> dict[str, Any]:
        """Wait for the next message of the bot, which must be this text."""
        message = await self.next()
        assert message["from"] == "bot", message
        assert message.get("text", "").strip() == text.strip(), message
        return message

    async def hears_rich(self) -> dict[str, Any]:
        """Wait for the next message of the bot, which must be rich content, and return that."""
        message = await self.next()
        assert message["type"] == "rich", message
        assert message["from"] == "bot"
        return dict(message["content"])

    async def sees(self, kind: str) -> dict[str, Any]:
        """Wait for the next message, which must be of this type (`transfer`, `closed`)."""
        message = await self.next()
        assert message["type"] == kind, message
        return message

    async def trace(self) -> list[dict[str, Any]]:
        """Return the turns as the console shows them."""
        path = f"{self.url}/v1/conversations/{self.conversation_id}/trace"
        async with self._http.get(path, headers=self.headers) as answer:
            body = await answer.json()
            assert answer.status == 200, body
            return list(body["turns"])

    async def request(self, method: str, path: str, **options: Any) -> tuple[int, dict[str, Any]]:
        """Call anything on the gateway as this consumer."""
        options.setdefault("headers", self.headers)
        async with self._http.request(method, f"{self.url}{path}", **options) as answer:
            body = await answer.json()
            return answer.status, body


def texts(content: dict[str, Any]) -> list[str]:
    """Return all texts of rich content, in order: titles of buttons too."""
    found = [content[key] for key in ("text", "title") if isinstance(content.get(key), str)]
    for element in content.get("elements", []):
        found += texts(element)
    return found
