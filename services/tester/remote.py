"""The HTTP interface of an installation, as far as a test needs it. Errors of aiohttp end here."""

import asyncio
import hashlib
from datetime import datetime
from typing import Any

import aiohttp
import msgspec

from services.tester.calls import Unexpected
from services.tester.form_tokens import FormRefused
from services.tester.suite import Profile
from shared.dialog.trace import TurnTrace

_WAITS = 5


class Unreachable(Exception):  # noqa: N818 - the world, not a mistake of the caller
    """The installation does not answer: the message names its address."""


class Opened:
    """A conversation of an installation."""

    def __init__(self, answer: dict[str, Any], bot_id: str) -> None:
        self.id = str(answer["conversationId"])
        self.user_id = str(answer["userId"])
        self.token = str(answer["token"])
        self.bot_id = bot_id


class Remote:
    """Makes the calls. Each raises Unreachable when nobody answers, Unexpected when a call is refused."""

    def __init__(self, session: aiohttp.ClientSession, url: str, key: str, console_token: str) -> None:
        self._session = session
        self._url = url.rstrip("/")
        self._key = {"Authorization": f"Bearer {key}"} if key else {}
        self._console = {"X-Botlane-Console": console_token} if console_token else {}

    async def has_console(self) -> bool:
        """Tell whether the installation shows traces."""
        status, _, _ = await self._ask("GET", "/", headers=self._console)
        return status == 200

    async def open(self, bot_id: str, profile: Profile) -> Opened:
        """Begin a conversation; when too many were begun in a minute, wait."""
        body: dict[str, Any] = {"channel": profile.channel, "engagementAttributes": profile.engagement}
        known = {"userId": profile.user_id or None, "customerInfo": profile.customer_info}
        known["personalInfo"] = profile.personal_info
        body |= {name: value for name, value in known.items() if value is not None}
        for _ in range(_WAITS):
            path = f"/v1/bots/{bot_id}/conversations"
            status, answer, headers = await self._ask("POST", path, json=body, headers=self._key)
            if status != 429:
                break
            await asyncio.sleep(float(headers.get("Retry-After", "1")))
        return Opened(_accepted(status, answer, "beginning a conversation"), bot_id)

    async def say(self, opened: Opened, message: dict[str, Any]) -> None:
        """Send a message of the consumer."""
        path = f"/v1/conversations/{opened.id}/messages"
        status, answer, _ = await self._ask("POST", path, json=message, headers=_bearer(opened))
        _accepted(status, answer, "the message")

    async def post(self, opened: Opened, variables: dict[str, str], message: str | None, token: str = "") -> None:
        """Post what an external form posts: with CB's hash or, where the bot takes none, with the form's token."""
        listed = [{"name": name, "value": value} for name, value in variables.items()]
        body: dict[str, Any] = {"botId": opened.bot_id, "conversationId": opened.id, "userId": opened.user_id}
        body |= {"contextVariables": listed} | ({} if message is None else {"message": message})
        digest = hashlib.sha256(f"{opened.id} || {opened.bot_id}".encode()).hexdigest()
        path = "/thirdparty-services-0.1/webview"
        status, answer, _ = await self._ask("POST", path, json=body, headers={"Authorization": digest})
        if status == 401 and token:
            headers = {"Authorization": f"Bearer {token}"}
            status, answer, _ = await self._ask("POST", path, json=body, headers=headers)
        given = "the call of the form" if token else "the call of the form, before which the bot showed no token,"
        left_out = _accepted(status, answer, given, FormRefused).get("ignored") or []
        if left_out:
            raise Unexpected(f"not all variables of the form were taken: {left_out[0]['reason']}")

    async def messages(self, opened: Opened, after: str, wait: int = 0) -> dict[str, Any]:
        """Read what was said after a cursor."""
        path = f"/v1/conversations/{opened.id}/messages?after={after}&wait={wait}"
        status, answer, _ = await self._ask("GET", path, headers=_bearer(opened))
        return _accepted(status, answer, "reading the conversation")

    async def trace(self, conversation_id: str, after: int) -> list[TurnTrace]:
        """Read what the turns after a turn did."""
        path = f"/v1/conversations/{conversation_id}/trace?after={after}"
        status, answer, _ = await self._ask("GET", path, headers=self._console)
        turns = _accepted(status, answer, "reading the trace")["turns"]
        return [msgspec.convert(turn | {"at": _milliseconds(turn["at"])}, TurnTrace) for turn in turns]

    async def _ask(self, method: str, path: str, **more: Any) -> tuple[int, Any, dict[str, str]]:
        """Return status, JSON (None: it is none) and headers."""
        try:
            async with self._session.request(method, self._url + path, **more) as response:
                is_json = response.content_type == "application/json"
                return response.status, await response.json() if is_json else None, dict(response.headers)
        except (aiohttp.ClientError, TimeoutError, OSError, UnicodeError) as error:  # the last: a name no host can have
            raise Unreachable(f"No installation answers at {self._url}: start it, or give another address.") from error


def open_session() -> aiohttp.ClientSession:
    """Return a session with limits; to be called while a loop runs, and closed by the caller."""
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=40, sock_connect=5))


def _bearer(opened: Opened) -> dict[str, str]:
    return {"Authorization": f"Bearer {opened.token}"}


def _accepted(status: int, answer: Any, what: str, kind: type[Unexpected] = Unexpected) -> dict[str, Any]:
    if status < 300 and isinstance(answer, dict):
        return answer
    error = answer.get("error") if isinstance(answer, dict) else None
    said = error.get("message") if isinstance(error, dict) else "it is no Botlane gateway"
    raise kind(f"{what} was refused with {status}: {said}")


def _milliseconds(moment: str) -> int:
    return round(datetime.fromisoformat(moment).timestamp() * 1000)
