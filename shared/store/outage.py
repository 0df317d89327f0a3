"""Says once that Redis is away and once that it is back, however often it is tried meanwhile."""

import time

import structlog

from shared.store.refusals import refusal

log = structlog.get_logger()


class Outage:
    """The times without Redis that one program has met. Who fails says so, and who succeeds."""

    def __init__(self) -> None:
        self._since: float | None = None

    def away(self, error: BaseException) -> None:
        """Note that Redis did not answer."""
        if self._since is None:
            self._since = time.monotonic()
            log.warning("Redis is away: it is waited for", reason=refusal(error) or type(error).__name__)

    def back(self) -> None:
        """Note that it did."""
        if self._since is not None:
            log.warning("Redis is back", seconds=round(time.monotonic() - self._since, 1))
            self._since = None
