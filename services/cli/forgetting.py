"""Removing all there is of a conversation or of a user, without a search through the keys."""

from collections import Counter

import msgspec
from arq.connections import ArqRedis

from services.cli.narrator import mailbox_of
from services.settings import Settings
from shared.queue.dead import DeadLetters
from shared.queue.mailbox import Mailbox
from shared.store import keys
from shared.store.bots import Bots
from shared.store.context import MARK_MS, Context

ROUNDS = 10
"""How often the conversations of a user are looked up again: one may begin while the others are removed."""


class Removed(msgspec.Struct, rename="camel"):
    """What was removed: conversations by their ids, how many keys of which kind, and how many dead letters.

    `user_id` is whose the one conversation was, since nothing else tells it any more.

    `file` says what became of the server's append-only file, if that was asked for (shared/store/rewriting.py).

    `marked_seconds` is set when a worker was about to write data of the user: so long marks without values refuse it.
    """

    conversations: list[str] = []
    keys: dict[str, int] = {}
    dead_letters: int = 0
    marked_seconds: int = 0
    user_id: str = ""
    file: str = ""

    @property
    def anything(self) -> bool:
        """Whether there was anything to remove."""
        return bool(self.conversations or self.keys or self.dead_letters)


class Forgetting:
    """Removes. Methods raise RedisUnreachable; repeated after one, they remove what is left."""

    def __init__(self, redis: ArqRedis, settings: Settings) -> None:
        self._mailbox: Mailbox = mailbox_of(redis, settings)
        self._bots = Bots(redis, settings.conversation_ttl)
        self._context = Context(redis)
        self._shards = settings.shards
        self._dead = DeadLetters(
            redis,
            shards=settings.shards,
            conversation_ttl=settings.conversation_ttl,
            inbox_limit=settings.inbox_limit,
        )
        self._names: list[str] = []
        self._pending: list[bytes] = []
        self._ended: list[str] = []
        self._bot_ids: set[str] = set()

    async def conversation(self, conversation_id: str) -> Removed:
        """Remove a conversation; what its user has outside it stays."""
        user_id = await self._conversation(conversation_id, "")
        removed = await self._removed([conversation_id], "")
        removed.user_id = user_id
        return removed

    async def user(self, user_id: str) -> Removed:
        """Remove a user's conversations and what is kept of the user outside them."""
        found: list[str] = []
        for _ in range(ROUNDS):
            listed = [one for shard in range(self._shards) for one in await self._mailbox.conversations(shard, user_id)]
            if not listed:
                break
            for conversation_id in listed:
                await self._conversation(conversation_id, user_id)
            found += listed
        bot_ids = self._bot_ids | {bot.id for bot in await self._bots.published()}
        self._names += await self._context.forget(user_id, bot_ids, self._pending)
        removed = await self._removed(found, user_id)
        removed.marked_seconds = MARK_MS // 1000 if self._pending else 0
        return removed

    async def _conversation(self, conversation_id: str, user_id: str) -> str:
        """Remove a conversation and return whose it was, as far as that is known."""
        about = await self._mailbox.about(conversation_id)
        if about is not None:
            self._bot_ids.add(about.bot_id)
            user_id = about.user_id
        forgotten = await self._mailbox.forget(conversation_id, user_id)
        if forgotten.was_there:
            self._ended.append(conversation_id)
        self._names += forgotten.keys
        self._pending += forgotten.writes
        return user_id

    async def _removed(self, looked_at: list[str], user_id: str) -> Removed:
        """Return what was removed, dead letters too: after the conversations, which make no more of them now."""
        letters = await self._dead.forget(set(looked_at), user_id)
        kinds = Counter(keys.kind_of(name) for name in self._names)
        return Removed(self._ended, dict(sorted(kinds.items())), letters)
