"""Who may touch a conversation: its consumer with a token, or the channel that created it with its key."""

import hmac
import time
from collections.abc import Mapping

from aiohttp import web

from services.gateway.errors import Refused, gone
from services.gateway.tokens import TokenExpired, Tokens, TokenWrong
from shared.queue.mailbox import Mailbox

TOKEN_SECONDS = 24 * 3600
_PURPOSE = "conversation"


def credential_of(request: web.Request) -> str | None:
    """Return the token or channel key of the Authorization header, None without that header."""
    header = request.headers.get("Authorization")
    if header is None:
        return None
    scheme, _, credential = header.strip().partition(" ")
    if scheme.lower() != "bearer" or not credential.strip():
        raise Refused("unauthorized", "The Authorization header must be `Bearer <token>`.")
    return credential.strip()


class Access:
    """Checks credentials. `channel_keys` maps the name of a channel to its key."""

    def __init__(self, tokens: Tokens, channel_keys: Mapping[str, str], mailbox: Mailbox) -> None:
        self._tokens = tokens
        self._channel_keys = {name: key.encode() for name, key in channel_keys.items()}
        self._mailbox = mailbox

    def issue(self, conversation_id: str) -> tuple[str, int]:
        """Return a token for a conversation and when it ends, in seconds since the epoch."""
        expires_at = int(time.time()) + TOKEN_SECONDS
        return self._tokens.sign(_PURPOSE, conversation_id, expires_at), expires_at

    def channel(self, credential: str) -> str | None:
        """Return the name of the channel whose key this is. Every key is compared, in constant time."""
        given = credential.encode("utf-8", "surrogateescape")
        names = [name for name, key in self._channel_keys.items() if hmac.compare_digest(key, given)]
        return names[0] if names else None

    async def admit(self, credential: str | None, conversation_id: str) -> int | None:
        """Return when the admission ends (seconds since the epoch), None when it does not.

        Raises Refused: 401 without a good credential, 403 when it opens another conversation, 404 when a channel asks
        for one that is gone.
        """
        if credential is None:
            raise Refused("unauthorized", "A token is needed: send the header `Authorization: Bearer <token>`.")
        channel = self.channel(credential)
        if channel is not None:
            await self._admit_channel(channel, conversation_id)
            return None
        try:
            subject, expires_at = self._tokens.verify(_PURPOSE, credential, time.time())
        except TokenExpired:
            message = (
                "The token has expired: tokens are renewed before they end, at …/token. Create a new conversation."
            )
            raise Refused("token_expired", message) from None
        except TokenWrong:
            raise Refused("unauthorized", "The token is not valid: use the one this conversation came with.") from None
        if subject != conversation_id:
            raise Refused("forbidden", "The token belongs to another conversation: use the one this one came with.")
        return expires_at

    async def _admit_channel(self, channel: str, conversation_id: str) -> None:
        about = await self._mailbox.about(conversation_id)
        if about is None:
            raise gone()
        if about.channel_key != channel:
            message = "This channel key did not create the conversation: use the key that did, or its token."
            raise Refused("forbidden", message)
