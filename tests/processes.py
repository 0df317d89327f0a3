"""Processes that tests started, seen from outside."""

import time
from pathlib import Path


def is_alive(pid: int) -> bool:
    """Whether it runs. One that has ended may wait for whoever adopted it; it may also go while it is looked at."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until_gone(*pids: int) -> None:
    """Wait until none of them runs."""
    while any(map(is_alive, pids)):
        time.sleep(0.01)


def children_of(pid: int) -> list[int]:
    """Return the processes that a process has started and that are still there."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
