"""Sealing what forms bring, in conversations of bots that name sensitive variables; nothing is done for others."""

import time

from services.settings import Settings
from shared.dialog.events import WebViewCall
from shared.privacy.conversation_key import ConversationKeys
from shared.privacy.forms import seal_form
from shared.queue.mailbox import Mailbox
from shared.queue.records import About
from shared.store.bots import Bots, CurrentBot

_KNOWN_SECONDS = 5.0


class FormSealing:
    """Makes conversations' keys, and seals with them. Methods raise RedisUnreachable."""

    def __init__(self, settings: Settings, mailbox: Mailbox, bots: Bots) -> None:
        self._keys = ConversationKeys(settings.secrets)
        self._mailbox = mailbox
        self._bots = bots
        self._known: dict[str, tuple[float, bool]] = {}  # whether a bot names anything sensitive, and until when

    def key_for(self, bot: CurrentBot, conversation_id: str) -> bytes:
        """Return the key of a conversation about to be made, sealed; empty when its bot needs none."""
        return self._keys.fresh(conversation_id) if bot.sensitive else b""

    async def sealed(self, about: About, call: WebViewCall) -> WebViewCall:
        """Return a call as it may be stored; a conversation older than its bot's `[privacy]` gets its key here."""
        if not call.variables and call.message is None:
            return call
        seal = about.seal
        if not seal and await self._is_sensitive(about.bot_id):
            seal = await self._mailbox.keep_seal(about.id, self._keys.fresh(about.id))
        return seal_form(call, self._keys.open(about.id, seal)) if seal else call

    async def _is_sensitive(self, bot_id: str) -> bool:
        until, sensitive = self._known.get(bot_id, (0.0, False))
        if until < time.monotonic():
            bot = await self._bots.current(bot_id)
            sensitive = bot is not None and bool(bot.sensitive)
            self._known[bot_id] = (time.monotonic() + _KNOWN_SECONDS, sensitive)
        return sensitive
