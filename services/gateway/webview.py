"""The Web View address: external forms post variables and, perhaps, a message (CB: reference/scripting.md 6).

The path, the authorization and the body are CB's own, so that a form written for CB works unchanged. CB documents no
answers; ours are in the design, section 6.
"""

import asyncio
import hashlib
import hmac

import msgspec
from aiohttp import hdrs, web

from services.gateway import metrics
from services.gateway.bodies import decode, json_response, read_form_body
from services.gateway.errors import Refused
from services.gateway.messages import check_text, inbox_full
from services.gateway.parts import PARTS, Parts
from services.gateway.web_view_variables import Caps, read_variables
from services.gateway.wire import OutboxEntry, WebViewAccepted, WebViewRequest
from shared.dialog.events import WebViewCall
from shared.queue.receipts import public_id
from shared.queue.records import About, Ingested, WebViewTerms
from shared.store import keys


async def post_web_view(request: web.Request) -> web.Response:
    """Answer `POST /thirdparty-services-0.1/webview`: 200 with a receipt as soon as the call is stored."""
    parts = request.app[PARTS]
    parts.web_view_limits.check_caller(request)
    checksum = request.headers.get("Authorization", "").strip()
    if not checksum:
        message = 'The Authorization header is missing: send sha256hex(conversationId + " || " + botId) in it.'
        raise Refused("unauthorized", message)
    call = decode(await read_form_body(request, parts.settings.web_view_body), WebViewRequest)
    about, _ = await asyncio.gather(
        parts.mailbox.about(call.conversation_id), parts.web_view_limits.count_address(request)
    )
    _admit(about, call, checksum)
    if call.message is not None:
        check_text(call.message, "message")
    caps = Caps(parts.settings.web_view_variables, parts.settings.web_view_variable_size)
    variables, ignored = read_variables(call.context_variables, caps)
    event = WebViewCall(variables, None if call.message == "" else call.message)
    terms = WebViewTerms(
        rate=parts.web_view_limits.rate,
        receipt=keys.new_receipt_id(call.conversation_id),
        variables=len(variables),
        bot_id=call.bot_id,
        origin=request.headers.get(hdrs.ORIGIN, ""),
    )
    ingested = await _ingest(parts, call.conversation_id, event, terms)
    accepted = WebViewAccepted(
        success=True,
        receipt=public_id(ingested.receipt, ingested.sequence),
        variables=len(variables),
        ignored=ignored,
        message="none" if event.message is None else "late" if ingested.late else "queued",
    )
    return json_response(accepted)


def checksum_of(conversation_id: str, bot_id: str) -> str:
    """Return what authorizes a Web View call (CB: reference/scripting.md 6), in lower case."""
    return hashlib.sha256(f"{conversation_id} || {bot_id}".encode()).hexdigest()


async def _ingest(parts: Parts, conversation_id: str, call: WebViewCall, terms: WebViewTerms) -> Ingested:
    """Store a call. What tells it from others is what it brings, not what it was given here. Raises Refused."""
    stamp = parts.tokens.stamp(conversation_id.encode() + b"\0" + msgspec.json.encode(call))
    event = msgspec.json.encode(msgspec.structs.replace(call, receipt=terms.receipt))
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
        case _:
            raise _not_found()


def _admit(about: About | None, call: WebViewRequest, checksum: str) -> None:
    if about is None or about.status == "closed":
        raise _not_found()
    expected = checksum_of(about.id, about.bot_id).encode()
    if not hmac.compare_digest(checksum.lower().encode("utf-8", "surrogateescape"), expected):
        message = 'The Authorization header does not fit: it must be sha256hex(conversationId + " || " + botId).'
        raise Refused("unauthorized", message)
    _refuse_strangers(about, call)


def _refuse_strangers(about: About, call: WebViewRequest) -> None:
    if call.bot_id != about.bot_id:
        raise Refused("not_found", "`botId` is not the bot of this conversation.", field="botId")
    if call.user_id != about.user_id:
        message = "`userId` is not the user of this conversation: send what getUserPlatformId() gives."
        raise Refused("not_found", message, field="userId")


def _not_found() -> Refused:
    message = "There is no such conversation, or it is closed: send what getConversationId() gives."
    return Refused("not_found", message, field="conversationId")
