"""Numbers read from Redis when somebody collects them, every two seconds at most: otherwise they cost nothing."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from shared.store.connection import RedisUnreachable

EVERY_SECONDS, PATIENCE_SECONDS = 2.0, 2.0

T = TypeVar("T")


class Collected(Generic[T]):
    """Asks with `ask`, shows what was found with `show`, and with `away` that Redis does not say."""

    def __init__(self, ask: Callable[[], Awaitable[T]], show: Callable[[T], None], away: Callable[[], None]) -> None:
        self._ask = ask
        self._show = show
        self._away = away
        self._asked_at = float("-inf")
        self._asking = asyncio.Lock()

    async def refresh(self) -> None:
        """Ask unless it was done just now. While Redis is away there are no such numbers, rather than old ones."""
        async with self._asking:
            if time.monotonic() - self._asked_at < EVERY_SECONDS:
                return
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    found = await self._ask()
            except (RedisUnreachable, TimeoutError):
                self._away()
                return
            self._asked_at = time.monotonic()
            self._show(found)
