"""A suite of a thousand steps is over in seconds: the example's tests, many times over, as a person plays them."""

import re
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.proofs.form import Record

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "examples/order-status/order-status.test.yaml"
COPIES = 25
# The promise is 5 s on two quiet cores. A proof shares them with others: it counts seconds of CPU.
PROMISED, ALLOWED = 5.0, 15.0


@pytest.mark.proof
def test_a_thousand_steps_are_over_in_seconds(tmp_path: Path, record_property: Record) -> None:
    text = TESTS.read_text().replace("bot: order-status.json", f"bot: {TESTS.with_name('order-status.json')}")
    for copy in range(COPIES):
        (tmp_path / f"{copy}.test.yaml").write_text(text)
    started, used = time.monotonic(), cpu_of_children()
    played = subprocess.run(
        [sys.executable, "-m", "services.cli", "test", str(tmp_path)], capture_output=True, text=True, check=False
    )
    seconds, used = time.monotonic() - started, cpu_of_children() - used
    assert played.returncode == 0, played.stdout + played.stderr
    last = played.stdout.strip().splitlines()[-1]
    passed = re.search(r": (\d+) steps in", last)
    assert passed is not None
    steps = int(passed[1])
    assert steps >= 1000
    record_property(
        "figures",
        {"title": f"a suite ({PROMISED:g} s promised)", "counts": {"steps": steps}, "slowest": {"run": seconds}},
    )
    assert used < ALLOWED, last


def cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
