"""Dead letters: events given up by COMMIT, to be looked at, put back into their conversation, or dropped.

A letter's id is `<shard>/<entry>`: the stream `dead:{sN}` it is in, and its place there.
"""

import re
from collections.abc import AsyncIterator, Collection, Iterable
from typing import Any

import msgspec
from arq.connections import ArqRedis

from shared.queue import scripts
from shared.queue.conversation_keys import conversation_keys
from shared.queue.mailbox import INBOX_BYTES
from shared.store import keys
from shared.store.connection import translated

_ID = re.compile(r"([0-9]{1,5})/([0-9]{1,15}-[0-9]{1,19})", re.ASCII)
_PAGE = 50


class DeadLetter(msgspec.Struct, frozen=True):
    """An event given up. `at` is when, in ms; `note` says more than the word `reason`, without values.

    `body` is the event as it was in the inbox: JSON, unless that was what was wrong with it. Whose it was is known
    also when the conversation has expired.
    """

    id: str
    at: int
    reason: str
    kind: str
    conversation_id: str
    bot_id: str
    body: bytes
    note: str = ""
    user_id: str = ""


class Retried(msgspec.Struct, frozen=True):
    """How RETRY answered: `retried` (with the event's new `sequence`; a repeat, for a day, is answered alike).

    Otherwise `missing`, `gone` (the conversation has expired), `closed` (it takes no events), `full` (its inbox), or
    `outcome`: what became of a call cannot be retried, since nobody awaits that call any more.
    """

    outcome: str
    sequence: int = 0


def is_letter_id(text: str) -> bool:
    """Tell whether a text has the form of a letter's id."""
    return _ID.fullmatch(text) is not None


class DeadLetters:
    """The dead letters of all shards. Methods raise RedisUnreachable; those given an id, ValueError when it is none.

    `shards` says how many there are to look at; `conversation_ttl` is seconds.
    """

    def __init__(self, redis: ArqRedis, *, shards: int, conversation_ttl: int, inbox_limit: int) -> None:
        self._redis: Any = redis  # the library's annotations leave open whether a command is to be awaited
        self._shards = shards
        self._ttl_ms = conversation_ttl * 1000
        self._inbox_limit = inbox_limit
        self._retry = redis.register_script(scripts.source("retry"))

    async def newest(self, limit: int, *, bot_id: str = "", conversation_id: str = "") -> list[DeadLetter]:
        """Return at most `limit` letters, newest first; empty texts leave out no bot and no conversation."""
        found: list[DeadLetter] = []
        for shard in range(self._shards):
            taken = 0
            async for letter in self._of_shard(shard):
                if taken == limit:
                    break
                if bot_id in ("", letter.bot_id) and conversation_id in ("", letter.conversation_id):
                    found.append(letter)
                    taken += 1
        return sorted(found, key=lambda letter: letter.at, reverse=True)[:limit]

    async def find(self, letter_id: str) -> DeadLetter | None:
        """Return one letter, None when it is not there (any more)."""
        shard, entry = _parts(letter_id)
        with translated():
            found = await self._redis.xrange(keys.dead(shard), entry, entry)
        return _letter(shard, *found[0]) if found else None

    async def retry(self, letter: DeadLetter) -> Retried:
        """Put a letter's event back at the end of its conversation's inbox, once, and remove the letter."""
        _, entry = _parts(letter.id)
        names = conversation_keys(letter.conversation_id)
        with translated():
            outcome, *sequence = await self._retry(
                keys=names, args=[letter.conversation_id, self._ttl_ms, entry, self._inbox_limit, INBOX_BYTES]
            )
        return Retried(outcome.decode(), *sequence)

    async def drop(self, letter_ids: Iterable[str]) -> list[str]:
        """Remove letters and return the ids of those that were there."""
        dropped = []
        for letter_id in letter_ids:
            shard, entry = _parts(letter_id)
            with translated():
                if await self._redis.xdel(keys.dead(shard), entry):
                    dropped.append(letter_id)
        return dropped

    async def forget(self, conversation_ids: Collection[str], user_id: str = "") -> int:
        """Remove the letters of conversations, and those of a user if one is named; return how many there were."""
        count = 0
        of_conversations = {keys.shard_of(conversation_id) for conversation_id in conversation_ids}
        for shard in range(self._shards) if user_id else of_conversations:
            theirs = [
                letter.id
                async for letter in self._of_shard(shard)
                if letter.conversation_id in conversation_ids or (user_id and letter.user_id == user_id)
            ]
            count += len(await self.drop(theirs))
        return count

    async def drop_all(self) -> int:
        """Remove all letters and return how many there were."""
        count = 0
        for shard in range(self._shards):
            with translated():
                count += await self._redis.xtrim(keys.dead(shard), maxlen=0, approximate=False)
        return count

    async def _of_shard(self, shard: int) -> AsyncIterator[DeadLetter]:
        newest = "+"
        while True:
            with translated():
                page = await self._redis.xrevrange(keys.dead(shard), newest, "-", count=_PAGE)
            for entry, fields in page:
                yield _letter(shard, entry, fields)
            if len(page) < _PAGE:
                return
            newest = f"({page[-1][0].decode()}"


def _parts(letter_id: str) -> tuple[int, str]:
    found = _ID.fullmatch(letter_id)
    if found is None:
        raise ValueError("A dead letter's id is `<shard>/<entry>`, such as 0/1795331696000-0.")
    return int(found[1]), found[2]


def _letter(shard: int, entry: bytes, fields: dict[bytes, bytes]) -> DeadLetter:
    def text(name: bytes) -> str:
        return fields.get(name, b"").decode(errors="replace")

    return DeadLetter(
        id=f"{shard}/{entry.decode()}",
        at=int(entry.partition(b"-")[0]),
        reason=text(b"reason"),
        kind=text(b"kind"),
        conversation_id=text(b"conversation"),
        bot_id=text(b"bot"),
        body=fields.get(b"body", b""),
        note=text(b"note"),
        user_id=text(b"user"),
    )
