"""The Web View address: external forms post variables and, perhaps, a message (CB: reference/scripting.md 6).

The path, the authorization and the body are CB's own, so that a form written for CB works unchanged. CB documents no
answers; ours are in the design, section 6.
"""

import asyncio
import re

import msgspec
from aiohttp import hdrs, web

from services.gateway import metrics
from services.gateway.bodies import decode, json_response, read_form_body
from services.gateway.errors import Refused
from services.gateway.messages import check_text, inbox_full
from services.gateway.parts import PARTS, Parts
from services.gateway.web_view_admission import Admission, no_conversation
from services.gateway.web_view_variables import Caps, read_variables
from services.gateway.wire import OutboxEntry, WebViewAccepted, WebViewRequest, WebViewTokenRequest
from shared.dialog.events import WebViewCall
from shared.queue.receipts import public_id
from shared.queue.records import Ingested, WebViewTerms
from shared.store import keys

_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]{0,30}://[a-z0-9.\[\]:_-]{1,253}", re.ASCII)


async def post_web_view(request: web.Request) -> web.Response:
    """Answer `POST /thirdparty-services-0.1/webview`: 200 with a receipt as soon as the call is stored."""
    parts = request.app[PARTS]
    parts.web_view_limits.check_caller(request)
    call, admission = await _admitted(request, parts)
    if call.message is not None:
        check_text(call.message, "message")
    caps = Caps(parts.settings.web_view_variables, parts.settings.web_view_variable_size)
    variables, ignored = read_variables(call.context_variables, caps, admission.names)
    event = WebViewCall(variables, None if call.message == "" else call.message)
    ingested = await _ingest(parts, admission, event, _terms(request, admission, len(variables)))
    accepted = WebViewAccepted(
        success=True,
        receipt=public_id(ingested.receipt, ingested.sequence),
        variables=len(variables),
        ignored=ignored,
        message="none" if event.message is None else "late" if ingested.late else "queued",
    )
    return json_response(accepted)


async def go_on(request: web.Request) -> None:
    """Let a caller that waits for it send its body; whatever else it expects is left to it (RFC 9110, 10.1.1)."""
    if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0


async def _admitted(request: web.Request, parts: Parts) -> tuple[WebViewRequest | WebViewTokenRequest, Admission]:
    """Read a call and let it in; its address is counted in the same round trip. Raises Refused."""
    admission, count = parts.web_view_admission, parts.web_view_limits.count_address
    try:
        token = admission.token_of(request)
        body = await read_form_body(request, parts.settings.web_view_body)
        call: WebViewRequest | WebViewTokenRequest
        if token is None:
            call = plain = decode(body, WebViewRequest)
            admit = admission.by_checksum(request, plain)
        else:
            call = with_token = decode(body, WebViewTokenRequest)
            admit = admission.by_token(token, with_token)
    except Refused:
        await count(request)  # guesses and floods of what cannot be read count too
        raise
    return call, (await asyncio.gather(admit, count(request)))[0]


def _terms(request: web.Request, admission: Admission, variables: int) -> WebViewTerms:
    token, about = admission.token, admission.about
    return WebViewTerms(
        rate=request.app[PARTS].web_view_limits.rate,
        receipt=keys.new_receipt_id(about.id),
        variables=variables,
        till=0 if token is None else token.till,
        once=token.id if token is not None and token.once else "",
        bot_id=about.bot_id,
        origin=_origin(request) if token is None else None,
    )


def _origin(request: web.Request) -> str:
    """Return the origin of the page that posts, for the report of `botlane forms`: empty where there is none."""
    origin = request.headers.get(hdrs.ORIGIN, "").lower()
    return origin if _ORIGIN.fullmatch(origin) or not origin else "null"


async def _ingest(parts: Parts, admission: Admission, call: WebViewCall, terms: WebViewTerms) -> Ingested:
    """Store a call. What tells it from others is what it brings and by which token it came. Raises Refused."""
    conversation_id = admission.about.id
    token = b"" if admission.token is None else admission.token.id.encode()
    stamp = parts.tokens.stamp(b"\0".join((conversation_id.encode(), token, msgspec.json.encode(call))))
    stored = await parts.form_sealing.sealed(admission.about, call)
    event = msgspec.json.encode(msgspec.structs.replace(stored, receipt=terms.receipt))
    echo = None if call.message is None else msgspec.json.encode(OutboxEntry("consumer", "text", call.message))
    ingested = await parts.mailbox.ingest_web_view(conversation_id, stamp, event, echo, terms)
    match ingested.outcome:
        case "accepted" | "duplicate":
            metrics.accepted("web_view", duplicate=ingested.outcome == "duplicate")
            return ingested
        case "full":
            raise inbox_full()
        case "often":
            raise parts.web_view_limits.conversation_too_often(ingested.at)
        case "expired":
            raise Refused("token_expired", "The token has ended: open the form again from the chat.")
        case "used":
            raise Refused("token_used", "The token counted once, and was used: open the form again from the chat.")
        case _:
            raise no_conversation()
