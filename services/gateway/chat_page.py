"""The chat page and what it asks for: its files, the bots, and what the turns of a conversation did."""

import re
from pathlib import Path

from aiohttp import web

from services.gateway.bodies import json_response
from services.gateway.errors import Refused, gone
from services.gateway.parts import PARTS
from services.gateway.wire import BotList, BotListed, TurnList, turn_shown

_FOLDER = Path(__file__).with_name("page")
_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
_FILE = re.compile(r"[a-z0-9][a-z0-9_-]*\.(?:js|css|svg)", re.ASCII)
_TURN = re.compile(r"[0-9]{1,15}", re.ASCII)
_QUESTION = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Botlane console</title>
<h1>Botlane console</h1>
<form>
<p><label for="console">Console token</label>
<input id="console" name="console" type="password" autocomplete="off" required autofocus>
<button>Open</button></p>
<p>The token is BOTLANE_CONSOLE_TOKEN; <code>botlane run</code> prints it.</p>
</form>
</html>
"""
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' https: data:; "  # pictures of cards come from anywhere
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


async def get_page(request: web.Request) -> web.StreamResponse:
    """Answer `GET /`: the chat page, or a cookie for the console token in the address."""
    console = request.app[PARTS].console
    exchanged = console.exchange(request)
    if exchanged is not None:
        return exchanged
    try:
        console.check(request)
    except Refused as refused:
        if refused.code == "unauthorized" and "text/html" in request.headers.get("Accept", ""):
            return _token_form()
        raise
    return _file("index.html")


async def get_page_file(request: web.Request) -> web.StreamResponse:
    """Answer `GET /page/{file}`: scripts, styles and pictures of the chat page."""
    request.app[PARTS].console.check(request)
    name = request.match_info["file"]
    if not _FILE.fullmatch(name) or not (_FOLDER / name).is_file():
        raise Refused("not_found", "The chat page has no such file.")
    return _file(name)


async def get_bots(request: web.Request) -> web.Response:
    """Answer `GET /v1/bots`: what the chat page may talk to."""
    parts = request.app[PARTS]
    parts.console.check(request)
    published = await parts.bots.published()
    return json_response(BotList([BotListed(bot.id, bot.name, bot.greeting, bot.version) for bot in published]))


async def get_trace(request: web.Request) -> web.Response:
    """Answer `GET /v1/conversations/{conversation}/trace?after=`: what the turns after that turn did."""
    parts = request.app[PARTS]
    parts.console.check(request)
    conversation_id = request.match_info["conversation"]
    after = request.query.get("after", "") or "0"
    if not _TURN.fullmatch(after):
        raise Refused("invalid_field", "`after` must be the number of a turn, or empty.", field="after")
    turns = await parts.mailbox.trace(conversation_id, int(after))
    if turns is None:
        raise gone()
    return json_response(TurnList([turn_shown(turn) for turn in turns]))


def _token_form() -> web.Response:
    """Return what a browser shows instead of the page until the token is given."""
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": _POLICY.replace("form-action 'none'", "form-action 'self'"),
    }
    return web.Response(status=401, text=_QUESTION, content_type="text/html", headers=headers)


def _file(name: str) -> web.FileResponse:
    path = _FOLDER / name
    return web.FileResponse(
        path,
        headers={
            "Content-Type": f"{_TYPES[path.suffix]}; charset=utf-8",
            "Content-Security-Policy": _POLICY,
            "Cache-Control": "no-cache",  # asked for again each time, answered 304 when unchanged
            "Cross-Origin-Opener-Policy": "same-origin",
        },
    )
