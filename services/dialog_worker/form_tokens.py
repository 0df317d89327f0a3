"""Makes the tokens for forms that scripts ask for: the secret stays here, turn processes get the token alone.

A turn process can ask for nothing else than its conversation's own tokens, so what it says of them is only checked for
its shape.
"""

from typing import Annotated, Any

import msgspec
import structlog

from shared.dialog.scripts import MINTED
from shared.dialog.session import Conversation
from shared.privacy.form_token import FormToken, FormTokens, new_id, whose

USUAL_SECONDS = 3600
MOST_SECONDS = 24 * 3600
LONGEST = 6000
"""Characters of a token: it has to fit into a header, of which servers take 8 KiB."""
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_Names = Annotated[tuple[_Name, ...], msgspec.Meta(max_length=200)]

log = structlog.get_logger()


class _Wanted(msgspec.Struct, frozen=True, array_like=True):
    """What a key says behind its beginning (shared/dialog/scripts.py)."""

    names: _Names
    seconds: float
    once: bool


class FormTokenMaker:
    """Makes tokens; without a secret there are none, which is logged and traced."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        self._tokens = FormTokens(secrets) if secrets else None

    def made(self, key: str, conversation: Conversation, now: int) -> dict[str, Any]:
        """Return what a script's `getWebViewToken` reads: `token`, or nothing when it cannot be made."""
        if self._tokens is None:
            log.warning("a script wants a token for a form: give the dialog workers BOTLANE_SECRET, too")
            return {}
        try:
            wanted = msgspec.json.decode(key.removeprefix(MINTED), type=_Wanted)
        except msgspec.DecodeError:
            return {}
        seconds = min(wanted.seconds, MOST_SECONDS) if wanted.seconds > 0 else USUAL_SECONDS
        token = FormToken(
            id=new_id(),
            conversation_id=conversation.id,
            whose=whose(conversation.bot_id, conversation.user_id),
            names=wanted.names,
            till=now + max(round(seconds * 1000), 1),
            once=wanted.once,
        )
        made = self._tokens.make(token)
        return {"token": made} if len(made) <= LONGEST else {}
