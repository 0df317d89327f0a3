"""Bots in Redis: which version a bot id stands for now, and the content of every version by its hash.

Versions are immutable. A version that was replaced lives on for `conversation_ttl`, so that sessions stay on it; a
worker that runs a turn on one renews it (`keep`).
"""

from collections.abc import Awaitable
from typing import cast

import msgspec
from arq.connections import ArqRedis

from shared.bot.bot import compile_bot
from shared.bot.source import BotSource
from shared.store import keys
from shared.store.batches import Batches
from shared.store.connection import translated


class CurrentBot(msgspec.Struct, frozen=True):
    """What a bot id stands for now.

    `session_ms` is how long a session lives without the consumer, `sensitive` are the patterns of its manifest.
    """

    id: str
    version: str
    session_ms: int
    name: str
    greeting: str
    greet: bool = False
    web_view_mode: str = "compatible"
    sensitive: tuple[str, ...] = ()


class Bots:
    """Publish, find and read bots. Raises RedisUnreachable when the server is away."""

    def __init__(self, redis: ArqRedis, conversation_ttl: int, batches: Batches | None = None) -> None:
        self._redis = redis
        self._batches = batches or Batches(redis)
        self._ttl = conversation_ttl

    async def publish(self, source: BotSource) -> CurrentBot:
        """Store a version and make it the current one. Raises BotError when it does not compile.

        Conversations that run are not disturbed: their sessions stay on the version they began with.
        """
        bot = compile_bot(source)
        current = CurrentBot(
            bot.id,
            bot.version,
            bot.session_ms,
            bot.name,
            bot.greeting,
            bot.greet,
            bot.web_view_mode,
            bot.sensitive,
        )
        with translated():
            replaced = await self._version(bot.id)
            await self._redis.set(keys.bot_version(bot.version), source.blob)
            await cast("Awaitable[int]", self._redis.hset(keys.bot(bot.id), mapping=_fields(current)))
            await self._redis.persist(keys.bot_version(bot.version))
            await cast("Awaitable[int]", self._redis.sadd(keys.bots(), bot.id))
            if replaced is not None and replaced != bot.version:
                await self._redis.expire(keys.bot_version(replaced), self._ttl)
        return current

    async def current(self, bot_id: str) -> CurrentBot | None:
        """Return what a bot id stands for, None when no such bot was published."""
        fields: dict[bytes, bytes]
        [fields] = await self._batches.ask(("HGETALL", keys.bot(bot_id)))
        if not fields:
            return None
        return CurrentBot(
            id=bot_id,
            version=fields[b"version"].decode(),
            session_ms=int(fields[b"session_ms"]),
            name=fields[b"name"].decode(),
            greeting=fields[b"greeting"].decode(),
            greet=fields.get(b"greet") == b"1",
            web_view_mode=fields.get(b"web_view_mode", b"compatible").decode(),
            sensitive=msgspec.json.decode(fields.get(b"sensitive", b"[]"), type=tuple[str, ...]),
        )

    async def web_view_mode(self, bot_id: str) -> str:
        """Return by what forms prove that they may post for a bot: `compatible` or `safe` (docs/web-view.md)."""
        mode: bytes | None
        [mode] = await self._batches.ask(("HGET", keys.bot(bot_id), "web_view_mode"))
        return "compatible" if mode is None else mode.decode()

    async def blob(self, version: str) -> bytes | None:
        """Return the content of a version, None when it is gone."""
        with translated():
            blob: bytes | None = await self._redis.get(keys.bot_version(version))
        return blob

    async def keep(self, version: str, bot_id: str) -> None:
        """Renew the life of a version that is still used; the current one does not expire.

        Two deploys at a time, or one beside a renewal, may have given the current version a TTL: it is taken off.
        """
        with translated():
            if await self._version(bot_id) == version:
                await self._redis.persist(keys.bot_version(version))
            else:
                await self._redis.expire(keys.bot_version(version), self._ttl)

    async def published(self) -> list[CurrentBot]:
        """List all bots, by name."""
        with translated():
            ids = await cast("Awaitable[set[bytes]]", self._redis.smembers(keys.bots()))
        found = [await self.current(bot_id.decode()) for bot_id in ids]
        return sorted((bot for bot in found if bot is not None), key=lambda bot: bot.name)

    async def _version(self, bot_id: str) -> str | None:
        version = await cast("Awaitable[bytes | None]", self._redis.hget(keys.bot(bot_id), "version"))
        return None if version is None else version.decode()


def _fields(bot: CurrentBot) -> dict[str, str | int]:
    return {
        "version": bot.version,
        "session_ms": bot.session_ms,
        "name": bot.name,
        "greeting": bot.greeting,
        "greet": int(bot.greet),
        "web_view_mode": bot.web_view_mode,
        "sensitive": msgspec.json.encode(bot.sensitive).decode(),
    }
