"""Messages in, replies out: POST puts a message into the inbox, GET reads the outbox and waits when it is empty."""

import asyncio
import math
import re
import secrets
from contextlib import nullcontext

import msgspec
from aiohttp import web

from services.gateway import metrics
from services.gateway.access import credential_of
from services.gateway.bodies import carried, decode, json_response, read_body
from services.gateway.errors import Refused, gone
from services.gateway.notifications import Bell
from services.gateway.parts import PARTS
from services.gateway.wire import (
    MESSAGE_BODY_LIMIT,
    TEXT_LIMIT,
    MessageAccepted,
    MessagePage,
    MessageRequest,
    OutboxEntry,
    message_json,
)
from shared.dialog.events import ConsumerMessage
from shared.queue.mailbox import INBOX_BYTES, Mailbox
from shared.queue.records import OutboxPage

_LONGEST_WAIT = 30.0
_FULL_RETRY_SECONDS = 5
_CURSOR = re.compile(r"[0-9]{1,15}", re.ASCII)


async def post_message(request: web.Request) -> web.Response:
    """Answer `POST /v1/conversations/{conversation}/messages`: 202 as soon as the message is stored."""
    parts = request.app[PARTS]
    conversation_id = request.match_info["conversation"]
    await parts.access.admit(credential_of(request), conversation_id)
    message = decode(await read_body(request, MESSAGE_BODY_LIMIT), MessageRequest)
    return json_response(await accept(parts.mailbox, conversation_id, message), status=202)


async def get_messages(request: web.Request) -> web.Response:
    """Answer `GET /v1/conversations/{conversation}/messages?after=&wait=`: at once when there is something to read."""
    parts = request.app[PARTS]
    conversation_id = request.match_info["conversation"]
    after, wait = cursor_of(request), _wait_of(request)
    await parts.access.admit(credential_of(request), conversation_id)
    polling = metrics.POLLS.track_inprogress() if wait else nullcontext()
    with parts.notifications.listen(conversation_id) as bell, polling:
        page = await _next_page(parts.mailbox, bell, conversation_id, after, wait)
    messages = [message_json(*message) for message in page.messages]
    return json_response(MessagePage(messages, str(page.cursor), page.gap))


async def accept(mailbox: Mailbox, conversation_id: str, message: MessageRequest) -> MessageAccepted:
    """Put a message into the conversation and return its place. Raises Refused.

    A message without an id gets one here, so that a command sent twice to Redis counts once.
    """
    check_text(message.text, "text")
    if not message.text and message.payload is None:
        raise Refused("invalid_field", "`text` is empty: send what the consumer wrote.", field="text")
    message_id = secrets.token_hex(16) if message.id is None else message.id
    metadata = carried(message.metadata, "metadata")
    event = msgspec.json.encode(ConsumerMessage(message.text, message.payload, metadata))
    echo = msgspec.json.encode(OutboxEntry("consumer", "text", message.text, message_id))
    ingested = await mailbox.ingest_message(conversation_id, message_id, event, echo)
    match ingested.outcome:
        case "accepted" | "duplicate":
            duplicate = ingested.outcome == "duplicate"
            metrics.accepted("message", duplicate=duplicate)
            return MessageAccepted(message_id, ingested.sequence, duplicate)
        case "closed":
            raise Refused("closed", "The conversation is closed: create a new one.")
        case "full":
            raise inbox_full()
        case _:
            raise gone()


def inbox_full() -> Refused:
    """Return the answer for a conversation in which too many events wait."""
    message = (
        "Too much of this conversation waits for an answer (as many events as BOTLANE_INBOX_LIMIT allows, or "
        f"{INBOX_BYTES >> 20} MiB of them): send this one again later."
    )
    return Refused("inbox_full", message, retry_after=_FULL_RETRY_SECONDS)


def check_text(text: str, field: str) -> None:
    """Raise Refused when a text is longer than a message may be."""
    if len(text) > TEXT_LIMIT:
        raise Refused("too_large", f"`{field}` is longer than {TEXT_LIMIT:,} characters: send less.", field=field)


def cursor_of(request: web.Request) -> int:
    """Return the sequence that `after` names, 0 (the start) when it is empty."""
    after = request.query.get("after", "")
    if not after:
        return 0
    if not _CURSOR.fullmatch(after):
        raise Refused("invalid_field", "`after` must be a cursor that this address gave, or empty.", field="after")
    return int(after)


def _wait_of(request: web.Request) -> float:
    try:
        wait = float(request.query.get("wait", "") or 0)
    except ValueError:
        wait = math.nan
    if not 0 <= wait <= _LONGEST_WAIT:
        raise Refused("invalid_field", "`wait` must be a number of seconds from 0 to 30.", field="wait")
    return wait


async def _next_page(mailbox: Mailbox, bell: Bell, conversation_id: str, after: int, wait: float) -> OutboxPage:
    """Read until there is something or the wait is over; the bell was hung up before the first read."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + wait
    while True:
        bell.mute()
        page = await mailbox.read(conversation_id, after)
        if page is None:
            raise gone()
        left = deadline - clock()
        if page.messages or page.gap or left <= 0 or bell.stopping:
            return page
        await bell.wait(left)
