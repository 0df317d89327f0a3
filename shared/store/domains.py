"""Hosts of services that were looked up, shared by all workers: fresh for ten minutes, kept for a week."""

from pathlib import Path

import msgspec
from arq.connections import ArqRedis

from shared.store import call_keys
from shared.store.connection import translated

FRESH_MS, KEPT_MS, LOCK_MS = 600_000, 7 * 86_400_000, 10_000
_FOLDER = Path(__file__).parent


class KnownHost(msgspec.Struct, frozen=True):
    """What is known: the host, if any, for how many ms it is fresh (0: stale), and whether to look it up again now."""

    host: str | None
    fresh_ms: int
    ours: bool


class Domains:
    """Reads and keeps them. Raises RedisUnreachable."""

    def __init__(self, redis: ArqRedis, *, fresh_ms: int = FRESH_MS) -> None:
        self._fresh_ms = fresh_ms
        self._look = redis.register_script((_FOLDER / "look_domain.lua").read_text(encoding="utf-8"))
        self._keep = redis.register_script((_FOLDER / "keep_domain.lua").read_text(encoding="utf-8"))

    async def look(self, account: str, service: str) -> KnownHost:
        """Return what is known of a service of an account."""
        with translated():
            host, fresh_ms, ours = await self._look(
                keys=call_keys.domain(account, service), args=[self._fresh_ms, LOCK_MS]
            )
        return KnownHost(host.decode() if host else None, fresh_ms, bool(ours))

    async def keep(self, account: str, service: str, host: str) -> None:
        """Store a host that was looked up now."""
        with translated():
            await self._keep(keys=call_keys.domain(account, service), args=[host, KEPT_MS])
