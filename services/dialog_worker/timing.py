"""How long the phases of turns take, for the metrics and for a line about each slow turn."""

import time

import structlog

from services.dialog_worker import metrics
from services.dialog_worker.running import Ran

SLOW_SECONDS = 1.0
TELL_SECONDS = 1.0  # when everything is slow, one line says it, and for how many turns

log = structlog.get_logger()


class Timing:
    """The times of one owner's turns. `redis_ms` is Redis' clock at its BEGIN, on which events were accepted.

    This machine's own clock may be wrong: only differences of it are used.
    """

    told_at = float("-inf")
    untold = 0

    def __init__(self, redis_ms: int, begin_seconds: float) -> None:
        self._offset = redis_ms / 1000 - time.perf_counter()
        self._accepted = self._handed = self._ready = 0.0
        self._ran: Ran | None = None
        metrics.phase_seconds["begin"].observe(begin_seconds)

    def redis_ms(self) -> int:
        """Return Redis' time, as far as it is known here."""
        return round(self._now() * 1000)

    def handed(self, at_ms: int) -> None:
        """Note that a turn begins with an event accepted at `at_ms`."""
        self._handed = self._now()
        self._accepted = min(at_ms / 1000, self._handed)
        self._ran = None
        metrics.phase_seconds["inbox"].observe(self._handed - self._accepted)

    def ran(self, ran: Ran) -> None:
        """Note what the engine's run took."""
        self._ran = ran
        metrics.phase_seconds["turn-process"].observe(ran.trip_ms / 1000)
        metrics.phase_seconds["engine"].observe(ran.ms / 1000)
        metrics.phase_seconds["scripts"].observe(ran.script_ms / 1000)

    def committing(self) -> None:
        """Note that the turn's COMMIT is about to be sent."""
        self._ready = self._now()

    def committed(self) -> None:
        """Note that the turn is stored; a slow one gets a line."""
        now = self._now()
        metrics.phase_seconds["commit"].observe(now - self._ready)
        metrics.TURN_SECONDS.observe(now - self._accepted)
        if now - self._handed > SLOW_SECONDS:
            self._tell(now)

    def _tell(self, now: float) -> None:
        if time.perf_counter() - Timing.told_at < TELL_SECONDS:
            Timing.untold += 1
            return
        phases = {"commit_ms": round((now - self._ready) * 1000)}
        if self._ran is not None:
            ran = self._ran
            phases |= {"turn_process_ms": round(ran.trip_ms), "engine_ms": round(ran.ms)}
            phases |= {"scripts_ms": round(ran.script_ms), "runs": ran.runs}
        log.warning("a slow turn", ms=round((now - self._handed) * 1000), others_since=Timing.untold, **phases)
        Timing.told_at, Timing.untold = time.perf_counter(), 0

    def _now(self) -> float:
        return time.perf_counter() + self._offset
