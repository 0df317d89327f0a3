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
from shared.privacy.consumer_data import ConsumerData
from shared.privacy.sealing import CannotOpen
from shared.store import keys
from shared.store.batches import Batches
from shared.store.connection import translated

logger = logging.getLogger(__name__)

DAY_MS = 24 * 3600 * 1000
FOREVER_MS = 180 * DAY_MS
LONGEST_MS = 396 * DAY_MS  # 13 months, the context service's own limit (CB: reference/surroundings.md)
MARK_MS = 3600 * 1000  # longer than a worker that was cut off goes on with what it has committed
_OF_USER = ("user", "forever")
TOMBSTONE_MS = 30 * DAY_MS  # longer than a conversation keeps writes that were not applied


class StoredWrite(msgspec.Struct, frozen=True):
    """A write as a commit carries it: what, and for whom. Its stamp is put before it by COMMIT."""

    write: ContextWrite
    user_id: str
    bot_id: str


_decoder = msgspec.msgpack.Decoder(StoredWrite)


def encode_write(write: ContextWrite, *, user_id: str, bot_id: str, sealing: ConsumerData | None = None) -> bytes:
    """Return an entry of `Commit.writes`, its value sealed if something to do so is given.

    Raises ValueError for the conversation's own scope: it is no other slot.
    """
    target = _target(write, user_id, bot_id)
    if sealing is not None and write.value is not None:
        write = msgspec.structs.replace(write, value=sealing.seal(write.value, _place(target, write.name or "")))
    return msgspec.msgpack.encode(StoredWrite(write, user_id, bot_id))


class Context:
    """Reads and writes data outside conversations. Raises RedisUnreachable when Redis is away."""

    def __init__(self, redis: ArqRedis, batches: Batches | None = None, sealing: ConsumerData | None = None) -> None:
        self._redis = redis
        self._batches = batches or Batches(redis)
        self._sealing = sealing or ConsumerData(())
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
        read = zip(targets.items(), found, strict=True)
        return {key: self._alive(target, fields, now) for (key, target), fields in read}

    async def load_forever(self, bot_id: str, user_id: str) -> dict[str, Any]:
        """Return the variables kept "forever" for a consumer of a bot."""
        target = keys.user(bot_id, user_id)
        (seconds, micros), fields = await self._batches.ask(("TIME",), ("HGETALL", target))
        return self._alive(target, fields, seconds * 1000 + micros // 1000)

    async def forget(self, user_id: str, bot_ids: Iterable[str], pending: Iterable[bytes]) -> list[str]:
        """Remove what is kept of a user outside conversations, in all bots, and return the keys that were there.

        `pending` are writes that may be applied after this: where they go, a mark without values refuses them for
        an hour.
        """
        targets = {keys.user(bot_id, user_id) for bot_id in bot_ids}
        listed = keys.namespaces(user_id)
        (seconds, micros), namespaces = await self._batches.ask(("TIME",), ("ZRANGE", listed, "0", "-1"))
        targets |= {keys.context_user(name.decode(), user_id) for name in namespaces}
        written = [_decoder.decode(entry.split(b"|", 4)[4]) for entry in pending]
        marked = {_target(one.write, user_id, one.bot_id) for one in written if one.write.scope in _OF_USER}
        stamp = f"{seconds * 1000 + micros // 1000:013}/~"  # later than every stamp of this moment
        removed = []
        with translated():
            for target in sorted({*targets, *marked, listed}):
                removed += [target] if await self._redis.delete(target) else []
                if target in marked:
                    await cast("Awaitable[Any]", self._apply(keys=[target], args=[MARK_MS, stamp, "clear", "", "", 0]))
                    await self._redis.pexpire(target, MARK_MS)
        return removed

    async def apply(self, writes: Iterable[bytes]) -> int:
        """Apply what COMMIT or BEGIN gave as `writes`, one script per target; return how many were new and kept."""
        by_target: dict[str, list[Any]] = defaultdict(list)
        listed: dict[str, tuple[str, str, int]] = {}
        for entry in writes:
            time, conversation, turn, index, body = entry.split(b"|", 4)
            stamp = f"{int(time):013}/{conversation.decode()}/{int(turn):010}/{int(index):06}"
            stored = _decoder.decode(body)
            target = _target(stored.write, stored.user_id, stored.bot_id)
            by_target[target] += [stamp, *_arguments(stored.write)]
            if stored.write.scope == "user":
                listed[target] = (stored.user_id, stored.write.namespace, int(time) + LONGEST_MS)
        kept = 0
        with translated():
            for target, arguments in by_target.items():
                answer = self._apply(keys=[target], args=[TOMBSTONE_MS, *arguments])
                applied, refused, held = await cast("Awaitable[list[int]]", answer)
                kept += applied
                if held and target in listed:
                    await self._list_namespace(*listed[target])
                if refused:
                    logger.warning("%s write(s) dropped: data outside conversations has a full namespace", refused)
        return kept

    async def _list_namespace(self, user_id: str, namespace: str, until: int) -> None:
        """Note that there may be data of a user in a namespace, so that they can be forgotten without a search."""
        listed = keys.namespaces(user_id)
        await self._batches.ask(
            ("ZREMRANGEBYSCORE", listed, "-inf", str(until - LONGEST_MS)),
            ("ZADD", listed, str(until), namespace),
            ("PEXPIRE", listed, str(LONGEST_MS)),
        )

    def _alive(self, target: str, fields: Mapping[bytes, bytes], now: int) -> dict[str, Any]:
        """Return the values that have not expired; one that cannot be opened is as if it were not there."""
        found = {}
        for field, entry in fields.items():
            expires_at, _, value = entry.split(b"|", 2)
            if int(expires_at) > now and field.startswith(b"=") and value.startswith(b"+"):
                name = field[1:].decode()
                try:
                    found[name] = msgspec.json.decode(self._sealing.open(value[1:].decode(), _place(target, name)))
                except CannotOpen as error:
                    logger.warning("a sealed value outside conversations is left out: %s", error)
        return found


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


def _place(target: str, name: str) -> str:
    """Return where a value may be opened: moved elsewhere, it is no value any more."""
    return f"{target}|{name}"
