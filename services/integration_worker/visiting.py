"""The hosts that one attempt visits: that of its address, then those that redirects lead to, one at a time.

A host that has answered with a redirect has done its part: its place comes free, and its breaker counts it as good.
"""

import asyncio
import secrets
from typing import Protocol

from shared.integration.policy import Ending
from shared.integration.ways import HeldBack
from shared.protection.guards import HOST, Guard

_REDIRECTED = "redirected"


class Entrance(Protocol):
    """Lets attempts in and out (`protecting.Protector`)."""

    async def enter_late(self, guard: Guard, ticket: str, ends_at: float) -> Ending | None:
        """Wait for a place at a host after the attempt has begun; return why there is none."""

    async def leave(self, guards: tuple[Guard, ...], ticket: str, how: str, word: str = "") -> None:
        """Say how it ended there."""


class Visits:
    """What one attempt holds: its integration's place throughout, and that of the host it is at.

    `waits_for` is the host that it waits for, or waited for when its time was over.
    """

    def __init__(self, entrance: Entrance, guards: tuple[Guard, ...], ticket: str) -> None:
        self._entrance = entrance
        self._first, self._ticket = guards, ticket
        self._host = next((guard for guard in guards if guard.kind == HOST), None)
        self._host_ticket = ticket
        self.waited = 0.0
        self.waits_for: Guard | None = None

    async def move(self, guard: Guard | None, ends_at: float) -> None:
        """Go on to another host (None: one without limits) until `ends_at` on the loop's clock. Raises HeldBack."""
        if guard is not None and self._host is not None and guard.id == self._host.id:
            return
        if self._host is not None:
            await self._entrance.leave((self._host,), self._host_ticket, "ok", _REDIRECTED)
            self._host = None
        if guard is None:
            return
        ticket = f"{self._ticket.partition(':')[0]}:{secrets.token_hex(8)}"
        loop = asyncio.get_running_loop()
        began, self.waits_for = loop.time(), guard
        try:
            held_back = await self._entrance.enter_late(guard, ticket, ends_at)
        finally:
            self.waited += loop.time() - began
        self.waits_for = None
        if held_back is not None:
            raise HeldBack(held_back)
        self._host, self._host_ticket = guard, ticket

    def held(self) -> list[tuple[tuple[Guard, ...], str]]:
        """Return the guards that are to be left when the attempt has ended, with their tickets."""
        if self._host_ticket == self._ticket and self._host is not None:
            return [(self._first, self._ticket)]
        rest = tuple(guard for guard in self._first if guard.kind != HOST)
        last = () if self._host is None else (self._host,)
        return [(guards, ticket) for guards, ticket in ((rest, self._ticket), (last, self._host_ticket)) if guards]
