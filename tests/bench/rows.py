"""Which rows there are, by the name that `make bench ROWS="…"` takes."""

from collections.abc import Awaitable
from typing import Protocol

from tests.bench.figures import Figure
from tests.bench.rows_w import workload_w
from tests.bench.systems import Systems


class Row(Protocol):
    """Measures something; `quick` is one round of the shortest form."""

    def __call__(self, systems: Systems, *, quick: bool) -> Awaitable[list[Figure]]:
        """Return the figures."""


ROWS: dict[str, Row] = {
    "w": workload_w,
}
