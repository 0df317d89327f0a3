"""How the limits of integrations and hosts stand, as numbers: read from Redis when somebody collects them."""

from arq.connections import ArqRedis

from services.collecting import Collected
from services.integration_worker import metrics
from shared.protection.figures import CLOSED, HALF_OPEN, OPEN, GuardFigures, read_guards

_STATES = {CLOSED: 0.0, HALF_OPEN: 0.5, OPEN: 1.0}


def guard_gauges(redis: ArqRedis) -> Collected[list[GuardFigures]]:
    """Return what brings the gauges up to date."""
    return Collected(lambda: read_guards(redis), _show, _away)


def _away() -> None:
    for gauge in (metrics.GUARD_IN_FLIGHT, metrics.GUARD_WAITING, metrics.BREAKER_STATE):
        gauge.clear()


def _show(found: list[GuardFigures]) -> None:
    _away()  # those that are no more
    for figures in found[: metrics.MOST_NAMES]:
        _show_guard(figures)


def _show_guard(figures: GuardFigures) -> None:
    labels = figures.kind, figures.name[: metrics.NAME_LENGTH]
    metrics.GUARD_IN_FLIGHT.labels(*labels).set(figures.in_flight)
    metrics.GUARD_WAITING.labels(*labels).set(figures.waiting)
    if figures.breaker is not None:
        metrics.BREAKER_STATE.labels(*labels).set(_STATES[figures.breaker.state])
