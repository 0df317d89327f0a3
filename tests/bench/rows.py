"""Which rows there are, by the name that `make bench ROWS="…"` takes, in the order in which they are measured."""

from collections.abc import Awaitable, Callable

from tests.bench.bench import Bench
from tests.bench.figures import Figure
from tests.bench.rows_calls import calling
from tests.bench.rows_order import bursts
from tests.bench.rows_pace import saturation, slow
from tests.bench.rows_parts import accepting, scaling, turning
from tests.bench.rows_rest import idle, memory, server_memory, starting
from tests.bench.rows_scripts import scripting
from tests.bench.rows_trips import trips
from tests.bench.rows_w import through_run, workload_w

Row = Callable[[Bench], Awaitable[list[Figure]]]

ROWS: dict[str, Row] = {
    "w": workload_w,
    "slow": slow,
    "load": saturation,
    "trips": trips,
    "idle": idle,
    "memory": memory,
    "redis": server_memory,
    "run": through_run,
    "bursts": bursts,
    "calls": calling,
    "accept": accepting,
    "turns": turning,
    "scripts": scripting,
    "workers": scaling,
    "start": starting,
}
