"""Short or long: how much a proof does, which seeds, and how its figures reach the person who runs it.

make proofs                    the short form
make proofs LONG=1             the long form, with the numbers the project promises
PROOFS_SEED=... pytest ...     one seed again, as a failure prints it
"""

import os
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

LONG = os.environ.get("PROOFS_LONG", "") not in {"", "0"}  # noqa: TID251 (only tests ask)
SEED = os.environ.get("PROOFS_SEED", "")  # noqa: TID251 (only tests ask)
Record = Callable[[str, object], None]


def chunks(count: int, of: int) -> list[range]:
    """Split the seeds 0 to `count` into ranges, so that tests can share them out; one seed alone when it is asked for."""
    if SEED:
        number = int(SEED.rpartition(":")[2])
        return [range(number, number + 1)]
    return [range(start, min(start + of, count)) for start in range(0, count, of)]


def again(seed: object, file: str) -> str:
    """Return the line that repeats what failed."""
    return f"PROOFS_SEED={seed} .venv/bin/pytest -m proof tests/proofs/{Path(file).name}"


def fail(failures: Iterable[str]) -> None:
    """Fail with what was found, if anything was."""
    listed = list(failures)
    if listed:
        pytest.fail(f"{len(listed)} failed:\n" + "\n".join(listed[:20]), pytrace=False)


def record_figures(record: Record, title: str, counts: Counter[str], slowest: dict[str, float]) -> None:
    """Hand over figures: counts are added up over the chunks of a proof, of the slowest ones the greatest is kept."""
    figures: dict[str, Any] = {"title": title, "counts": dict(counts), "slowest": slowest}
    record("figures", figures)
