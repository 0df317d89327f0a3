"""The page that a consent ends on: it takes the code that the consent page sends back, and says what became of it."""

import asyncio
import html
import re
import time

from aiohttp import web

from services.gateway.parts import PARTS
from shared.credentials.consents import Consent, consent_id

_STATE = re.compile(r"[A-Za-z0-9]{48}", re.ASCII)
_LONGEST_CODE = 4096
_WAIT_SECONDS, _POLL_SECONDS = 12.0, 0.1
_REFUSALS = {"access_denied": "the consent was refused", "invalid_scope": "the consent page does not know the scope"}
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<h1>{title}</h1>
<p>{text}</p>
</html>
"""
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


async def get_callback(request: web.Request) -> web.Response:
    """Answer `GET /v1/credentials/callback?state=&code=`, where a consent page sends people back to."""
    consents = request.app[PARTS].consents
    state, code = request.query.get("state", ""), request.query.get("code", "")
    if not _STATE.fullmatch(state):
        return _page(
            400, "Not a consent", "This address is opened by botlane credentials authorize, with what it asked for."
        )
    if not code or len(code) > _LONGEST_CODE:
        consent = await consents.refuse(state, _REFUSALS.get(request.query.get("error", ""), "no consent was given"))
    else:
        consent = await consents.give(state, code)
    ends_at = time.monotonic() + _WAIT_SECONDS
    while consent is not None and consent.stage == "given" and time.monotonic() < ends_at:
        await asyncio.sleep(_POLL_SECONDS)
        consent = await consents.read(consent_id(state)) or consent
    return _told(consent)


def _told(consent: Consent | None) -> web.Response:
    if consent is None:
        return _page(404, "Not known", "This consent was not asked for, or too long ago: start again.")
    if consent.stage == "done":
        more = f" {consent.why[:1].upper()}{consent.why[1:]}." if consent.why else ""
        return _page(200, "Authorized", f"Calls can use {consent.credential} now. You may close this page.{more}")
    if consent.stage == "failed":
        return _page(200, "Not authorized", f"{consent.why[:1].upper()}{consent.why[1:]}.")
    return _page(200, "Under way", "The consent has arrived. botlane credentials list tells what became of it.")


def _page(status: int, title: str, text: str) -> web.Response:
    page = _PAGE.format(title=html.escape(title), text=html.escape(text))
    return web.Response(status=status, text=page, content_type="text/html", headers=_HEADERS)
