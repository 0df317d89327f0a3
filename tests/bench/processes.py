"""What processes use, read from /proc: CPU seconds and resident memory, by program."""

import os
from collections.abc import Mapping
from pathlib import Path

CHILDREN = {"dialog-worker": "turn processes"}
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(programs: Mapping[str, int]) -> dict[str, float]:
    """Return the CPU seconds of each program since its start, those of its other children apart: `CHILDREN` names them."""
    parents = _parents()
    seconds = {}
    for name, pid in programs.items():
        seconds[name] = _own_seconds(pid)
        if below := _below(pid, parents, apart=set(programs.values())):
            children_name = CHILDREN.get(name, f"children of {name}")
            seconds[children_name] = seconds.get(children_name, 0.0) + sum(map(_own_seconds, below))
    return seconds


def used(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Return what was used between two readings."""
    return {name: seconds - before.get(name, 0.0) for name, seconds in after.items()}


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process in MB (10^6 bytes)."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE / 1e6


def children(pid: int) -> list[int]:
    """Return all processes below one."""
    return _below(pid, _parents(), apart=set())


def _own_seconds(pid: int) -> float:
    """Return user and system time, with that of children that have ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(map(int, fields[11:15])) / _TICKS


def _parents() -> dict[int, int]:
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                found[int(folder.name)] = int((folder / "stat").read_text().rpartition(") ")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
    return found


def _below(pid: int, parents: Mapping[int, int], apart: set[int]) -> list[int]:
    """Return the processes below one, without those that are counted `apart` and what is below them."""
    direct = [child for child, parent in parents.items() if parent == pid and child not in apart]
    return direct + [lower for child in direct for lower in _below(child, parents, apart)]
