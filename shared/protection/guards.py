"""Which guards an attempt has to pass: that of its integration, then that of its host. Pure."""

from collections.abc import Collection
from typing import NamedTuple

import msgspec

from shared.bot.hosts import fitting
from shared.bot.integration import Integration
from shared.bot.model import Bot
from shared.bot.protection import Protection

HOST, INTEGRATION = "host", "integration"
_ILL = frozenset({"unreachable", "lost", "timeout"})
_SAYS_NOTHING = frozenset({429})  # a limit of the API's own: it is neither ill nor well


class Guard(NamedTuple):
    """One guard: what it is of, the text that tells it from all others, its name for people, its limits."""

    kind: str
    id: str
    name: str
    protection: Protection

    @property
    def limits(self) -> bytes:
        """The limits as they are kept for people."""
        return msgspec.json.encode(self.protection)

    @property
    def arguments(self) -> tuple[str | bytes | int | float, ...]:
        """What the scripts are told of it (_guards.lua)."""
        concurrency, rate, breaker = self.protection.concurrency, self.protection.rate, self.protection.breaker
        rated = (rate.count, rate.ms) if rate else (0, 0)
        broken = (breaker.failures, breaker.share, breaker.window_ms, breaker.open_ms) if breaker else (0, 0, 0, 0)
        return self.id, self.name, self.limits, concurrency, *rated, *broken


def guards_of(bot: Bot, integration: Integration, url: str) -> tuple[Guard, ...]:
    """Return the guards of a call to an address, none when nothing limits it.

    An integration is the bot's own; a host is the same for all bots.
    """
    found = []
    if integration.protection.limited:
        name = f"{bot.name}: {integration.name}"
        found.append(Guard(INTEGRATION, f"{INTEGRATION}:{bot.id}:{integration.id}", name, integration.protection))
    host = host_guard(bot, url)
    return tuple(found) if host is None else (*found, host)


def host_guard(bot: Bot, url: str) -> Guard | None:
    """Return the guard of the host of an address, None when nothing limits it."""
    host = fitting(bot.hosts, url) if bot.hosts else None
    return None if host is None else Guard(HOST, f"{HOST}:{host}", host, bot.hosts[host])


def verdict(failure: str | None, status: int, success: Collection[int | str]) -> str:
    """Say what the end of an attempt tells of the API: `ok`, `failed` or `neither` (_guards.lua)."""
    if failure is not None:
        return "failed" if failure in _ILL else "neither"
    if status in success:
        return "ok"
    if status in _SAYS_NOTHING:
        return "neither"
    return "failed" if status >= 500 else "ok"
