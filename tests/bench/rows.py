"""Which rows there are, by the name that `make bench ROWS="…"` takes, in the order in which they are measured."""

from collections.abc import Awaitable, Callable

from tests.bench.bench import Bench
from tests.bench.figures import Figure
from tests.bench.rows_order import bursts
from tests.bench.rows_pace import saturation, slow
from tests.bench.rows_parts import accepting, scaling, turning
from tests.bench.rows_w import workload_w

Row = Callable[[Bench], Awaitable[list[Figure]]]

ROWS: dict[str, Row] = {
    "w": workload_w,
    "slow": slow,
    "load": saturation,
    "bursts": bursts,
    "accept": accepting,
    "turns": turning,
    "workers": scaling,
}
