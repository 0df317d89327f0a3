"""By what a Web View call proves that it may post: CB's checksum of two ids, or a token that a script made.

The checksum is no secret: both ids stand in the form's address (CB: reference/scripting.md 6). A bot in safe mode takes
tokens alone. A token counts for its conversation, for the variables it names, until it ends.
"""

import asyncio
import hashlib
import hmac

import msgspec
from aiohttp import web

from services.gateway.errors import Refused
from services.gateway.wire import WebViewRequest, WebViewTokenRequest
from shared.privacy.form_token import FormToken, FormTokens, NoToken, whose
from shared.queue.mailbox import Mailbox
from shared.queue.records import About
from shared.store.bots import Bots

_SCHEME = "bearer "


class Admission(msgspec.Struct, frozen=True):
    """What a call may do: in which conversation, with which variables (None: any), by which token (None: checksum)."""

    about: About
    names: frozenset[str] | None = None
    token: FormToken | None = None


class WebViewAdmission:
    """Checks calls against what Redis knows of their conversation."""

    def __init__(self, secrets: tuple[str, ...], mailbox: Mailbox, bots: Bots) -> None:
        self._tokens = FormTokens(secrets)
        self._mailbox = mailbox
        self._bots = bots

    def token_of(self, request: web.Request) -> FormToken | None:
        """Return the token of a call, None when it has a checksum. Raises Refused (401)."""
        given = request.headers.get("Authorization", "").strip()
        if not given:
            message = (
                'The Authorization header is missing: send sha256hex(conversationId + " || " + botId) in it, '
                "or `Bearer` and the token that the form was opened with."
            )
            raise Refused("unauthorized", message)
        if not given.lower().startswith(_SCHEME):
            return None
        try:
            return self._tokens.open(given[len(_SCHEME) :].strip())
        except NoToken:
            message = (
                "This is not a token of this installation, or it was cut: send what getWebViewToken() gave. "
                'Without a token the header is sha256hex(conversationId + " || " + botId).'
            )
            raise Refused("unauthorized", message) from None

    async def by_token(self, token: FormToken, call: WebViewTokenRequest) -> Admission:
        """Admit a call with a token; ids are not needed, those that are given must fit. Raises Refused."""
        about = _known(await self._mailbox.about(token.conversation_id))
        if token.whose != whose(about.bot_id, about.user_id):
            raise no_conversation()
        if call.conversation_id not in (None, about.id):
            raise Refused("not_found", "The token is for another conversation.", field="conversationId")
        _refuse_strangers(about, call)
        return Admission(about, frozenset(token.names), token)

    async def by_checksum(self, request: web.Request, call: WebViewRequest) -> Admission:
        """Admit a call with the checksum, unless its bot is in safe mode. Raises Refused."""
        found, mode = await asyncio.gather(
            self._mailbox.about(call.conversation_id), self._bots.web_view_mode(call.bot_id)
        )
        about = _known(found)
        if mode == "safe" and call.bot_id == about.bot_id:
            raise _unsafe()
        given = request.headers["Authorization"].strip().lower().encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, checksum_of(about.id, about.bot_id).encode()):
            message = 'The Authorization header does not fit: it must be sha256hex(conversationId + " || " + botId).'
            raise Refused("unauthorized", message)
        _refuse_strangers(about, call)
        return Admission(about)


def checksum_of(conversation_id: str, bot_id: str) -> str:
    """Return what authorizes a Web View call (CB: reference/scripting.md 6), in lower case."""
    return hashlib.sha256(f"{conversation_id} || {bot_id}".encode()).hexdigest()


def no_conversation() -> Refused:
    """Return the answer for a conversation that is over or never was."""
    message = "There is no such conversation, or it is closed: send what getConversationId() gives."
    return Refused("not_found", message, field="conversationId")


def _known(about: About | None) -> About:
    if about is None or about.status == "closed":
        raise no_conversation()
    return about


def _refuse_strangers(about: About, call: WebViewRequest | WebViewTokenRequest) -> None:
    if call.bot_id not in (None, about.bot_id):
        raise Refused("not_found", "`botId` is not the bot of this conversation.", field="botId")
    if call.user_id not in (None, about.user_id):
        message = "`userId` is not the user of this conversation: send what getUserPlatformId() gives."
        raise Refused("not_found", message, field="userId")


def _unsafe() -> Refused:
    message = (
        'This bot takes no checksum ([web_view] mode = "safe" in its manifest): open the form with a token that a '
        "script makes by botContext.getWebViewToken(), and send it as `Authorization: Bearer <token>`. "
        "/webview.js does that for a form."
    )
    return Refused("unauthorized", message)
