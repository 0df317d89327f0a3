"""The Web View address: external forms post variables and, perhaps, a message (CB: reference/scripting.md 6).

The path, the authorization and the body are CB's own, so that a form written for CB works unchanged. CB documents no
answers; ours are in the design, section 6.
"""

import hashlib
import hmac
from typing import Any

import msgspec
from aiohttp import web

from services.gateway import metrics
from services.gateway.bodies import decode, json_response, read_body
from services.gateway.errors import Refused
from services.gateway.messages import check_text, inbox_full
from services.gateway.parts import PARTS
from services.gateway.wire import WEB_VIEW_BODY_LIMIT, Ignored, OutboxEntry, WebViewAccepted, WebViewRequest
from shared.bot.storable import storable
from shared.bot.values import text_of
from shared.dialog.events import WebViewCall
from shared.queue.mailbox import Mailbox
from shared.queue.records import About, Ingested

_VARIABLE_LIMIT = 256 * 1024


async def post_web_view(request: web.Request) -> web.Response:
    """Answer `POST /thirdparty-services-0.1/webview`: 200 with a receipt as soon as the call is stored."""
    parts = request.app[PARTS]
    checksum = request.headers.get("Authorization", "").strip()
    if not checksum:
        message = 'The Authorization header is missing: send sha256hex(conversationId + " || " + botId) in it.'
        raise Refused("unauthorized", message)
    call = decode(await read_body(request, WEB_VIEW_BODY_LIMIT), WebViewRequest)
    await _admit(parts.mailbox, call, checksum)
    if call.message is not None:
        check_text(call.message, "message")
    variables, ignored = read_variables(call.context_variables)
    said = None if call.message == "" else call.message
    event = msgspec.json.encode(WebViewCall(variables, said))
    echo = None if said is None else msgspec.json.encode(OutboxEntry("consumer", "text", said))
    receipt = parts.tokens.stamp(call.conversation_id.encode() + b"\0" + event)
    ingested = await parts.mailbox.ingest_web_view(call.conversation_id, receipt, event, echo)
    _check(ingested)
    metrics.accepted("web_view", duplicate=ingested.outcome == "duplicate")
    accepted = WebViewAccepted(
        success=True,
        receipt=f"{receipt}-{ingested.sequence}",
        variables=len(variables),
        ignored=ignored,
        message="none" if said is None else "late" if ingested.late else "queued",
    )
    return json_response(accepted)


def checksum_of(conversation_id: str, bot_id: str) -> str:
    """Return what authorizes a Web View call (CB: reference/scripting.md 6), in lower case."""
    return hashlib.sha256(f"{conversation_id} || {bot_id}".encode()).hexdigest()


def read_variables(given: list[Any] | dict[str, Any] | None) -> tuple[dict[str, str], list[Ignored]]:
    """Return variables as text, and the entries that could not be taken.

    CB's shape is a list of `{name, value}`; a plain object is taken too, and values that are not text become it. A
    name given twice has its last value.
    """
    variables: dict[str, str] = {}
    ignored: list[Ignored] = []
    entries = given or []
    if isinstance(entries, dict):
        entries = [{"name": name, "value": value} for name, value in entries.items()]
    for index, entry in enumerate(entries):
        reason = _fault(entry)
        if reason is None:
            reason = _keep(variables, entry["name"], entry["value"])
        if reason is not None:
            ignored.append(Ignored(index, reason))
    return variables, ignored


def _keep(variables: dict[str, str], name: str, value: Any) -> str | None:
    """Keep a value as text; return why it cannot be kept."""
    try:
        storable(value)  # the text keeps every digit
        text = text_of(value)
    except ValueError as error:
        return f"the value cannot be used: {error}"
    if len(text.encode()) > _VARIABLE_LIMIT:
        return "the value is larger than 256 KiB"
    variables[name] = text
    return None


def _fault(entry: Any) -> str | None:
    """Say what keeps an entry from being a variable, None when nothing does."""
    if not isinstance(entry, dict):
        return "the entry is not an object"
    if "name" not in entry:
        return "the name is missing"
    if not isinstance(entry["name"], str):
        return "the name is not text"
    if not entry["name"].strip():
        return "the name is empty"
    return None if "value" in entry else "the value is missing"


async def _admit(mailbox: Mailbox, call: WebViewRequest, checksum: str) -> None:
    about = await mailbox.about(call.conversation_id)
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


def _check(ingested: Ingested) -> None:
    if ingested.outcome == "full":
        raise inbox_full()
    if ingested.outcome not in {"accepted", "duplicate"}:
        raise _not_found()


def _not_found() -> Refused:
    message = "There is no such conversation, or it is closed: send what getConversationId() gives."
    return Refused("not_found", message, field="conversationId")
