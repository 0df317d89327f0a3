"""A token end-point on loopback, and an integration that needs its tokens."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from tests.services.integration_worker.calling import Waiting, responder
from tests.services.integration_worker.misbehaving import Server

OK = (200, {"Content-Type": "application/json"}, b'{"ok":1}')
DENIED: tuple[int, dict[str, str], bytes] = (401, {}, b"who are you?")
HUSH = "canary-client-secret"
CLIENT = """
[credentials.crm]
type = "oauth2_client_credentials"
token_url = "{url}/token"
client_id = "bot"
client_secret = {{ env = "CRM_SECRET" }}
"""


def issuing(**more: Any) -> Callable[[web.Request], Awaitable[web.Response]]:
    """A token end-point that gives token-1, token-2, … a little later."""
    count = 0

    async def answer(_: web.Request) -> web.Response:
        nonlocal count
        count += 1
        await asyncio.sleep(0.02)
        return web.json_response({"access_token": f"token-{count}", "token_type": "Bearer", "expires_in": 600} | more)

    return answer


async def published(waiting: Waiting, api: Server, tokens: Server, more: str = "", credential: str = CLIENT) -> None:
    waiting.environment["CRM_SECRET"] = HUSH
    manifest = 'credential = "crm"\nretries = 0\n' + credential.format(url=tokens.url) + more + "\n"
    await waiting.publish(responder("It", api.url), manifest=manifest)


def sent(server: Server) -> list[str]:
    return [headers.get("Authorization", "") for _, _, headers, _ in server.seen.requests]
