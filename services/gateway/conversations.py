"""Creating conversations, and renewing the tokens that open them."""

import math
import random
import uuid

import msgspec
from aiohttp import web

from services.gateway import metrics
from services.gateway.access import credential_of
from services.gateway.bodies import carried, decode, json_response, read_body
from services.gateway.console import is_loopback, names_this_machine
from services.gateway.errors import Refused, gone
from services.gateway.limits import caller_address
from services.gateway.messages import accept
from services.gateway.parts import PARTS, Parts
from services.gateway.wire import (
    MESSAGE_BODY_LIMIT,
    ConversationCreated,
    ConversationRequest,
    MessageRequest,
    TokenRenewed,
    iso,
)
from shared.queue.records import NewConversation, Profile
from shared.store import keys
from shared.store.bots import CurrentBot

_BELIEVED = {"user_id": "userId", "customer_info": "customerInfo", "personal_info": "personalInfo"}


async def create_conversation(request: web.Request) -> web.Response:
    """Answer `POST /v1/bots/{bot}/conversations`: 201 with the ids and a token for 24 hours."""
    parts = request.app[PARTS]
    channel = _channel(request, parts)
    body = await read_body(request, MESSAGE_BODY_LIMIT)
    wanted = decode(body, ConversationRequest) if body.strip() else ConversationRequest()
    if channel is None and not _is_keyless(request, parts):
        _refuse_claims(wanted)
    bot = await parts.bots.current(request.match_info["bot"])
    if bot is None:
        raise Refused("not_found", "There is no such bot: `botlane bots` lists the published ones.")
    new = _new_conversation(wanted, bot, channel, parts)
    await parts.mailbox.create(new)
    metrics.CONVERSATIONS.inc()
    if bot.greet and bot.greeting:
        await accept(parts.mailbox, new.id, MessageRequest(text=bot.greeting, id="greeting"))
    token, expires_at = parts.access.issue(new.id)
    return json_response(ConversationCreated(new.id, new.user_id, token, iso(expires_at * 1000)), status=201)


async def renew_token(request: web.Request) -> web.Response:
    """Answer `POST /v1/conversations/{conversation}/token`: 200 with a token for another 24 hours."""
    parts = request.app[PARTS]
    conversation_id = request.match_info["conversation"]
    await parts.access.admit(credential_of(request), conversation_id)
    if await parts.mailbox.about(conversation_id) is None:
        raise gone()
    token, expires_at = parts.access.issue(conversation_id)
    return json_response(TokenRenewed(token, iso(expires_at * 1000)))


def _channel(request: web.Request, parts: Parts) -> str | None:
    """Return the channel whose key was sent, None for an anonymous caller, whose rate is limited."""
    credential = credential_of(request)
    channel = None if credential is None else parts.access.channel(credential)
    if channel is not None:
        return channel
    forwarded = request.headers.getall("X-Forwarded-For", [])
    pause = parts.create_limit.take(caller_address(request.remote, forwarded, parts.trusted_proxies))
    if pause:
        message = f"This address creates too many conversations: {parts.settings.create_rate} a minute are allowed."
        raise Refused("rate_limited", message, retry_after=math.ceil(pause))
    if credential is not None:
        message = "This is not a channel key: send one of BOTLANE_CHANNEL_KEYS, or no Authorization header."
        raise Refused("unauthorized", message)
    return None


def _is_keyless(request: web.Request, parts: Parts) -> bool:
    """Tell whether a caller without a key is believed: no page whose site's name was made to lead to this machine."""
    settings = parts.settings
    return settings.keyless and (names_this_machine(request) or not is_loopback(settings.host))


def _refuse_claims(wanted: ConversationRequest) -> None:
    for attribute, field in _BELIEVED.items():
        if getattr(wanted, attribute) is not None:
            message = f"`{field}` is believed from channels only: send `Authorization: Bearer <channel key>`."
            raise Refused("unauthorized", message, field=field)


def _new_conversation(
    wanted: ConversationRequest, bot: CurrentBot, channel: str | None, parts: Parts
) -> NewConversation:
    customer, personal = carried(wanted.customer_info, "customerInfo"), carried(wanted.personal_info, "personalInfo")
    profile = Profile(wanted.engagement_attributes, customer, personal)
    shard = random.randrange(parts.settings.shards)  # noqa: S311 - spreads load, guards nothing
    conversation_id = keys.new_conversation_id(shard)
    return NewConversation(
        id=conversation_id,
        bot_id=bot.id,
        user_id=uuid.uuid4().hex if wanted.user_id is None else wanted.user_id,
        channel=wanted.channel,
        profile=msgspec.msgpack.encode(profile),
        channel_key="" if channel is None else channel,
        session_ms=bot.session_ms,
        seal=parts.form_sealing.key_for(bot, conversation_id),
    )
