"""The leases on conversations: renewed every second while turns run; a refused renewal ends the job at once.

Law: a lease is not renewed while a COMMIT is on its way, since both carry the fence and COMMIT changes it. Only a
refusal ends a job; a server that does not answer is waited for, and COMMIT has the last word.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Protocol, Self

import structlog

from shared.store.connection import RedisUnreachable

log = structlog.get_logger()

RENEW_SECONDS = 1.0


class Renews(Protocol):
    """The part of the mailbox that leases need."""

    async def renew(self, conversation_id: str, fence: str) -> bool:
        """Lengthen the lease; False when another worker holds the conversation."""
        ...


class LeaseLost(Exception):  # noqa: N818 - a state of the world
    """Another worker owns the conversation now: what this one did is dropped."""


class Lease:
    """One conversation held by the running task. Leaving the block early, as `LeaseLost`, is how a loss shows."""

    def __init__(self, leases: "Leases", conversation_id: str, fence: str) -> None:
        self.conversation_id = conversation_id
        self.fences = [fence]
        self.lost = False
        self._leases = leases
        self._task: asyncio.Task[object] | None = None

    @property
    def fence(self) -> str:
        """The fence that Redis knows, as far as we do."""
        return self.fences[0]

    @property
    def changing(self) -> bool:
        """Whether it is unknown which of two `fences` Redis knows: a script that replaces one is on its way."""
        return len(self.fences) > 1

    @contextmanager
    def handing_over(self, next_fence: str) -> Iterator[None]:
        """Send a script that replaces the fence by `next_fence`; when it fails, both may be the valid one."""
        self.fences.append(next_fence)
        yield
        del self.fences[0]

    def lose(self) -> None:
        """End the task that holds the lease."""
        self.lost = True
        if self._task:
            self._task.cancel()

    async def __aenter__(self) -> Self:
        self._task = asyncio.current_task()
        self._leases.add(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leases.remove(self)
        if self.lost and self._task and kind is asyncio.CancelledError and self._task.uncancel() == 0:
            raise LeaseLost from error


class Leases:
    """All leases of this worker, renewed by one loop."""

    def __init__(self, mailbox: Renews, *, renew_seconds: float = RENEW_SECONDS) -> None:
        self._mailbox = mailbox
        self._seconds = renew_seconds
        self._held: set[Lease] = set()

    def hold(self, conversation_id: str, fence: str) -> Lease:
        """Return the lease that BEGIN gave, to be entered."""
        return Lease(self, conversation_id, fence)

    @property
    def held(self) -> int:
        """How many there are now."""
        return len(self._held)

    def add(self, lease: Lease) -> None:
        """Renew this lease from now on."""
        self._held.add(lease)

    def remove(self, lease: Lease) -> None:
        """Renew it no longer."""
        self._held.discard(lease)

    async def keep(self) -> None:
        """Renew every second, until cancelled."""
        while True:
            await asyncio.sleep(self._seconds)
            await asyncio.gather(*(self._renew(lease) for lease in self._held if not lease.changing))

    async def _renew(self, lease: Lease) -> None:
        fence = lease.fence
        try:
            owned = await self._mailbox.renew(lease.conversation_id, fence)
        except RedisUnreachable:
            return
        except Exception:
            log.exception("a lease could not be renewed", conversation=lease.conversation_id)
            return
        if not owned and lease in self._held and lease.fence == fence and not lease.changing:
            log.warning("a lease is lost: its turn is stopped", conversation=lease.conversation_id)
            lease.lose()
