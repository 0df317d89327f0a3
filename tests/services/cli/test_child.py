import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from services.cli.child import Child, ChildPlan, last_lines, start_child
from tests.processes import is_alive, wait_until_gone

SLEEP = "import time; print('up', flush=True); time.sleep(60)"


async def started(code: str, tmp_path: Path) -> Child:
    log = tmp_path / "log"
    plan = ChildPlan(name="toy", command=(sys.executable, "-c", code), environment={}, log=log)
    child = await start_child(plan)
    while b"up" not in log.read_bytes():
        time.sleep(0.01)
    return child


async def test_a_child_has_a_session_of_its_own(tmp_path: Path) -> None:
    child = await started(SLEEP, tmp_path)
    assert os.getsid(child.pid) == child.pid
    await child.stop(5)


async def test_a_child_is_asked_to_end_first(tmp_path: Path) -> None:
    child = await started(f"import signal, sys; signal.signal(15, lambda *_: sys.exit(7)); {SLEEP}", tmp_path)
    await child.stop(20)
    assert child.exit_code == 7


async def test_a_child_that_does_not_end_is_killed_with_its_own_children(tmp_path: Path) -> None:
    stubborn = "import os, signal; signal.signal(15, signal.SIG_IGN); "
    stubborn += f"pid = os.fork() or time.sleep(60); print(pid, flush=True); {SLEEP}"  # only one says that it is up
    child = await started(f"import time; {stubborn}", tmp_path)
    grandchild = int((tmp_path / "log").read_text().split()[0])
    await child.stop(0.05)
    assert child.exit_code == -signal.SIGKILL
    wait_until_gone(grandchild)


async def test_stopping_a_child_that_has_ended_is_fine(tmp_path: Path) -> None:
    child = await started("print('up')", tmp_path)
    await child.wait()
    await child.stop(1)
    assert child.exit_code == 0


def test_a_child_dies_when_its_parent_is_killed(tmp_path: Path) -> None:
    parent = (
        "import asyncio, sys\nfrom pathlib import Path\nfrom services.cli.child import ChildPlan, start_child\n"
        "async def main():\n"
        f"    plan = ChildPlan(name='toy', command=(sys.executable, '-c', {SLEEP!r}), environment={{}})\n"
        "    child = await start_child(plan)\n    print(child.pid, flush=True)\n    await child.wait()\n"
        "asyncio.run(main())"
    )
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        child = int(next(line for line in process.stdout if line.strip().isdigit()))  # either may write first
        assert is_alive(child)
        process.kill()
        wait_until_gone(child)


def test_the_last_lines_of_a_log_are_its_end(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("".join(f"line {number}\n" for number in range(5000)))
    assert last_lines(log, 2) == ["line 4998", "line 4999"]
