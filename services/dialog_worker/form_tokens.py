"""Makes the tokens for forms that scripts ask for: the secret stays here, turn processes get the token alone.

A turn process can ask for nothing else than its conversation's own tokens, so what it says of them is only checked for
its shape.
"""

from typing import Any

import structlog

from shared.dialog.session import Conversation
from shared.privacy.form_token import FormToken, FormTokens, new_id, wanted, whose

LONGEST = 6000
"""Characters of a token: it has to fit into a header, of which servers take 8 KiB."""

log = structlog.get_logger()


class FormTokenMaker:
    """Makes tokens; without a secret there are none, which is logged and traced."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        self._tokens = FormTokens(secrets) if secrets else None

    def made(self, key: str, conversation: Conversation, now: int) -> dict[str, Any]:
        """Return what a script's `getWebViewToken` reads: `token`, or nothing when it cannot be made."""
        if self._tokens is None:
            log.warning("a script wants a token for a form: give the dialog workers BOTLANE_SECRET, too")
            return {}
        asked = wanted(key)
        if asked is None:
            return {}
        token = FormToken(
            id=new_id(),
            conversation_id=conversation.id,
            whose=whose(conversation.bot_id, conversation.user_id),
            names=asked.names,
            till=asked.till(now),
            once=asked.once,
        )
        made = self._tokens.make(token)
        return {"token": made} if len(made) <= LONGEST else {}
