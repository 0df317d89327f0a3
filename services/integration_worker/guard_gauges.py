"""How the limits of integrations and hosts stand, as numbers: read from Redis when somebody collects them."""

import asyncio
import time

from arq.connections import ArqRedis

from services.integration_worker import metrics
from shared.protection.figures import CLOSED, HALF_OPEN, OPEN, GuardFigures, read_guards
from shared.store.connection import RedisUnreachable

EVERY_SECONDS, PATIENCE_SECONDS = 2.0, 2.0
_STATES = {CLOSED: 0.0, HALF_OPEN: 0.5, OPEN: 1.0}


class GuardGauges:
    """Brings the gauges up to date."""

    def __init__(self, redis: ArqRedis) -> None:
        self._redis = redis
        self._asked_at = float("-inf")
        self._asking = asyncio.Lock()

    async def refresh(self) -> None:
        """Ask unless it was done just now. While Redis is away there are no such numbers, rather than old ones."""
        async with self._asking:
            if time.monotonic() - self._asked_at < EVERY_SECONDS:
                return
            found: list[GuardFigures] = []
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    found = await read_guards(self._redis)
                self._asked_at = time.monotonic()
            except (RedisUnreachable, TimeoutError):
                pass
            for gauge in (metrics.GUARD_IN_FLIGHT, metrics.GUARD_WAITING, metrics.BREAKER_STATE):
                gauge.clear()
            for figures in found[: metrics.MOST_NAMES]:
                _show(figures)


def _show(figures: GuardFigures) -> None:
    labels = figures.kind, figures.name[: metrics.NAME_LENGTH]
    metrics.GUARD_IN_FLIGHT.labels(*labels).set(figures.in_flight)
    metrics.GUARD_WAITING.labels(*labels).set(figures.waiting)
    if figures.breaker is not None:
        metrics.BREAKER_STATE.labels(*labels).set(_STATES[figures.breaker.state])
