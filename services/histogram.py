"""A histogram for programs with one event loop: observations are added, not locked; the lock cost more than the sum."""

from bisect import bisect_left

from prometheus_client import Histogram


class LoopHistogram(Histogram):
    """Counts observations that are made, and read, by one thread alone."""

    def observe(self, amount: float, exemplar: dict[str, str] | None = None) -> None:  # noqa: ARG002 - the library's signature
        """Count an amount."""
        self._sum._value += amount  # noqa: SLF001 - as its own `inc` does
        self._buckets[bisect_left(self._upper_bounds, amount)]._value += 1  # noqa: SLF001 - as above
