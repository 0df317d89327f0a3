"""Tokens in Redis: sealed, shared by all workers, and fetched by one of them at a time.

A token lies there as long as it is to be used (its TTL ends before the token does, by Redis' clock), so a missing one
is one to fetch. Who takes the lock fetches; its random text is compared when the result is stored, so that a worker
that was held up cannot put an older refresh token over a newer one.
"""

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import Protocol, cast

import msgspec
from arq.connections import ArqRedis

from shared.privacy.sealing import CannotOpen, Sealer
from shared.store import call_keys
from shared.store.connection import translated

PURPOSE = "tokens of credentials"
LOCK_MS = 15_000
GRANT_MS = 180 * 24 * 3600 * 1000


class Kept(msgspec.Struct, frozen=True, array_like=True):
    """A token as it is kept: `id` names it.

    `at` is when it was stored (ms, Redis' clock) if the API had refused the one before, else 0. In the last `early_ms`
    of its use another one is fetched beside the calls.
    """

    access_token: str
    id: str
    at: int = 0
    early_ms: int = 0

    def __repr__(self) -> str:
        return f"Kept(id={self.id!r})"


class Failed(msgspec.Struct, frozen=True, array_like=True):
    """Why there was no token a moment ago, for those who wait for the same one."""

    why: str
    passing: bool


class Found(msgspec.Struct, frozen=True):
    """What is there: a token, and for how many ms it is used, or why there was none a moment ago, or neither."""

    token: Kept | None = None
    failed: Failed | None = None
    left_ms: int = 0


class TokenStore(Protocol):
    """Where tokens are kept. Raises RedisUnreachable, as all of these may."""

    async def find(self, name: str) -> Found:
        """Return what there is."""

    async def lock(self, name: str, holder: str) -> bool:
        """Take the lock for `LOCK_MS`; False when somebody has it."""

    async def keep(self, name: str, holder: str, token: Kept, life_ms: int, grant: str) -> None:
        """Store a token, and a refresh token when one came with it, if the lock is still the holder's."""

    async def keep_failure(self, name: str, holder: str, failed: Failed, life_ms: int) -> None:
        """Store why there is none, if the lock is still the holder's."""

    async def release(self, name: str, holder: str) -> None:
        """Let the lock go, if it is still the holder's."""

    async def grant(self, name: str) -> str:
        """Return the refresh token that somebody's consent gave; empty when there is none."""

    async def now(self) -> int:
        """Return the time in ms."""


class RedisTokens:
    """The tokens of an installation."""

    def __init__(self, redis: ArqRedis, sealer: Sealer) -> None:
        self._redis = redis
        self._sealer = sealer
        self._keep = redis.register_script(Path(__file__).with_name("keep_token.lua").read_text(encoding="utf-8"))

    async def find(self, name: str) -> Found:
        """Return what there is; what cannot be opened any more counts as missing."""
        with translated():
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.mget(call_keys.token(name), call_keys.token_failed(name))
                pipe.pttl(call_keys.token(name))
                (token, failed), left_ms = await pipe.execute()
        opened = self._opened(token, call_keys.token(name))
        return Found(
            None if opened is None else msgspec.msgpack.decode(opened, type=Kept),
            None if failed is None else msgspec.msgpack.decode(failed, type=Failed),
            max(left_ms, 0),
        )

    async def lock(self, name: str, holder: str) -> bool:
        """Take the lock."""
        with translated():
            return bool(await self._redis.set(call_keys.token_lock(name), holder, nx=True, px=LOCK_MS))

    async def keep(self, name: str, holder: str, token: Kept, life_ms: int, grant: str) -> None:
        """Store a token and perhaps a refresh token, and let the lock go."""
        sealed = self._sealed(msgspec.msgpack.encode(token), call_keys.token(name))
        await self._store(name, holder, call_keys.token(name), sealed, life_ms, grant)

    async def keep_failure(self, name: str, holder: str, failed: Failed, life_ms: int) -> None:
        """Store a failure, which holds no secret, and let the lock go."""
        await self._store(name, holder, call_keys.token_failed(name), msgspec.msgpack.encode(failed), life_ms, "")

    async def release(self, name: str, holder: str) -> None:
        """Let the lock go."""
        await self._store(name, holder, call_keys.token(name), b"", 1, "")

    async def grant(self, name: str) -> str:
        """Return the refresh token and renew its time, which ends when nobody has used it for long."""
        with translated():
            sealed = await self._redis.getex(call_keys.token_grant(name), px=GRANT_MS)
        return (self._opened(sealed, call_keys.token_grant(name)) or b"").decode()

    async def ends(self, name: str) -> tuple[int, bool]:
        """Return for how many more ms there is a token (0: none), and whether there is a refresh token."""
        with translated():
            left = await self._redis.pttl(call_keys.token(name))
            granted = await self._redis.exists(call_keys.token_grant(name))
        return max(left, 0), bool(granted)

    async def now(self) -> int:
        """Return Redis' time in ms."""
        with translated():
            seconds, micros = await cast("Awaitable[tuple[int, int]]", self._redis.time())
        return seconds * 1000 + micros // 1000

    async def _store(self, name: str, holder: str, key: str, content: bytes, life_ms: int, grant: str) -> None:
        sealed = self._sealed(grant.encode(), call_keys.token_grant(name)) if grant else b""
        with translated():
            await self._keep(
                keys=[call_keys.token_lock(name), key, call_keys.token_grant(name)],
                args=[holder, content, max(life_ms, 1), sealed, GRANT_MS],
            )

    def _sealed(self, content: bytes, key: str) -> bytes:
        return self._sealer.seal(content, key.encode())

    def _opened(self, sealed: bytes | None, key: str) -> bytes | None:
        try:
            return None if sealed is None else self._sealer.open(sealed, key.encode())
        except CannotOpen:
            return None


class OwnTokens:
    """The tokens of one process that has no Redis, such as `botlane call`."""

    def __init__(self) -> None:
        self._tokens: dict[str, tuple[float, Kept]] = {}

    async def find(self, name: str) -> Found:
        """Return a token that has not ended."""
        ends_at, token = self._tokens.get(name, (0.0, None))
        return Found(token if ends_at > asyncio.get_running_loop().time() else None)

    async def lock(self, name: str, holder: str) -> bool:
        """Take the lock, which nobody else wants."""
        del name, holder
        return True

    async def keep(self, name: str, holder: str, token: Kept, life_ms: int, grant: str) -> None:
        """Keep a token in memory."""
        del holder, grant
        self._tokens[name] = (asyncio.get_running_loop().time() + life_ms / 1000, token)

    async def keep_failure(self, name: str, holder: str, failed: Failed, life_ms: int) -> None:
        """Keep no failure: nobody waits for it."""

    async def release(self, name: str, holder: str) -> None:
        """Let the lock go, which nobody else wants."""

    async def grant(self, name: str) -> str:
        """Return none: consents are kept in Redis."""
        del name
        return ""

    async def now(self) -> int:
        """Return the loop's time in ms."""
        return round(asyncio.get_running_loop().time() * 1000)
