"""Data outside conversations: the context service's user and global scope, and variables kept "forever".

Each lives in a slot of its own. A turn's writes are stored with the turn, stamped by COMMIT with its time,
conversation, turn and place; the worker applies them here, as often as it takes: an older or equal stamp is ignored.
"""

import logging
from collections import defaultdict
from collections.abc import Awaitable, Iterable, Mapping
from pathlib import Path
from typing import Any, cast

import msgspec
from arq.connections import ArqRedis

from shared.dialog.effects import ContextWrite
from shared.store import keys
from shared.store.batches import Batches
from shared.store.connection import translated

logger = logging.getLogger(__name__)

DAY_MS = 24 * 3600 * 1000
FOREVER_MS = 180 * DAY_MS
LONGEST_MS = 396 * DAY_MS  # 13 months, the context service's own limit (CB: reference/surroundings.md)
TOMBSTONE_MS = 30 * DAY_MS  # longer than a conversation keeps writes that were not applied


class StoredWrite(msgspec.Struct, frozen=True):
    """A write as a commit carries it: what, and for whom. Its stamp is put before it by COMMIT."""

    write: ContextWrite
    user_id: str
    bot_id: str


_decoder = msgspec.msgpack.Decoder(StoredWrite)


def encode_write(write: ContextWrite, *, user_id: str, bot_id: str) -> bytes:
    """Return an entry of `Commit.writes`. Raises ValueError for the conversation's own scope: it is no other slot."""
    _target(write, user_id, bot_id)
    return msgspec.msgpack.encode(StoredWrite(write, user_id, bot_id))


class Context:
    """Reads and writes data outside conversations. Raises RedisUnreachable when Redis is away."""

    def __init__(self, redis: ArqRedis, batches: Batches | None = None) -> None:
        self._redis = redis
        self._batches = batches or Batches(redis)
        script = Path(__file__).with_name("apply_writes.lua").read_text(encoding="utf-8")
        self._apply = redis.register_script(script)

    async def load(
        self,
        wanted: Iterable[str],
        user_id: str,
        bot_id: str = "",  # noqa: ARG002 (all bots of an account share the context service)
    ) -> dict[str, dict[str, Any]]:
        """Return the data of each `user|<namespace>` or `global|<namespace>`, by name; empty when there are none."""
        targets = {key: _target_of_key(key, user_id) for key in wanted}
        with translated():
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.time()
                for target in targets.values():
                    pipe.hgetall(target)
                (seconds, micros), *found = await pipe.execute()
        now = seconds * 1000 + micros // 1000
        return {key: _alive(fields, now) for key, fields in zip(targets, found, strict=True)}

    async def load_forever(self, bot_id: str, user_id: str) -> dict[str, Any]:
        """Return the variables kept "forever" for a consumer of a bot."""
        (seconds, micros), fields = await self._batches.ask(("TIME",), ("HGETALL", keys.user(bot_id, user_id)))
        return _alive(fields, seconds * 1000 + micros // 1000)

    async def apply(self, writes: Iterable[bytes]) -> int:
        """Apply what COMMIT or BEGIN gave as `writes`, one script per target; return how many were new and kept."""
        by_target: dict[str, list[Any]] = defaultdict(list)
        for entry in writes:
            time, conversation, turn, index, body = entry.split(b"|", 4)
            stamp = f"{int(time):013}/{conversation.decode()}/{int(turn):010}/{int(index):06}"
            stored = _decoder.decode(body)
            target = _target(stored.write, stored.user_id, stored.bot_id)
            by_target[target] += [stamp, *_arguments(stored.write)]
        kept = 0
        with translated():
            for target, arguments in by_target.items():
                answer = self._apply(keys=[target], args=[TOMBSTONE_MS, *arguments])
                applied, refused = await cast("Awaitable[list[int]]", answer)
                kept += applied
                if refused:
                    logger.warning("%s write(s) dropped: data outside conversations has a full namespace", refused)
        return kept


def _arguments(write: ContextWrite) -> tuple[str, str, str, int]:
    longest = FOREVER_MS if write.scope == "forever" else LONGEST_MS
    ttl_ms = min(write.ttl_ms, longest) if write.ttl_ms > 0 else longest
    if write.name is None:
        return ("clear", "", "", 0)
    if write.value is None:
        return ("delete", write.name, "", 0)
    return ("set", write.name, write.value, ttl_ms)


def _target(write: ContextWrite, user_id: str, bot_id: str) -> str:
    if write.scope == "forever":
        return keys.user(bot_id, user_id)
    return _target_of_key(f"{write.scope}|{write.namespace}", user_id)


def _target_of_key(key: str, user_id: str) -> str:
    scope, _, namespace = key.partition("|")
    if scope == "user":
        return keys.context_user(namespace, user_id)
    if scope == "global":
        return keys.context_global(namespace)
    raise ValueError(f"The scope {scope!r} has no data outside conversations: it is `user` or `global`.")


def _alive(fields: Mapping[bytes, bytes], now: int) -> dict[str, Any]:
    found = {}
    for field, entry in fields.items():
        expires_at, _, value = entry.split(b"|", 2)
        if int(expires_at) > now and field.startswith(b"=") and value.startswith(b"+"):
            found[field[1:].decode()] = msgspec.json.decode(value[1:])
    return found
