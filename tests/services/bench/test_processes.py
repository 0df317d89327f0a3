import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.bench.processes import children, cpu_seconds, resident_mb

BUSY = "import time\nwhile time.process_time() < 0.3: pass\nprint(flush=True)\ninput()"
PARENT = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BUSY!r}])"


@pytest.fixture
def parent() -> Iterator[subprocess.Popen[bytes]]:
    """A process whose child has used some CPU."""
    command = [sys.executable, "-c", PARENT]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.communicate(b"\n")


def test_what_children_use_stands_apart_from_their_parent(parent: subprocess.Popen[bytes]) -> None:
    found = cpu_seconds({"dialog-worker": parent.pid})
    assert found["turn processes"] >= 0.2
    assert set(found) == {"dialog-worker", "turn processes"}


def test_a_child_with_a_name_of_its_own_is_counted_once(parent: subprocess.Popen[bytes]) -> None:
    (child,) = children(parent.pid)
    found = cpu_seconds({"run": parent.pid, "gateway": child})
    assert set(found) == {"run", "gateway"}
    assert found["gateway"] >= 0.2


def test_resident_memory_is_in_megabytes(parent: subprocess.Popen[bytes]) -> None:
    assert 1 < resident_mb(parent.pid) < 500
