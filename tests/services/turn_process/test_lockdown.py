"""What a locked-down turn process cannot do. The attempts themselves are in probes.py."""

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from services.turn_process.lockdown import LockdownFailed, _filter_program

PROBES = Path(__file__).with_name("probes.py")
NAMES = re.findall(r"^@attempt\ndef (\w+)", PROBES.read_text(encoding="utf-8"), re.MULTILINE)
# What stops the attempt: the filter (EPERM), or a limit before it.
OTHER_ERRORS = {"start_a_thread": "RuntimeError", "use_a_gigabyte": "MemoryError", "raise_a_limit": "ValueError"}


@pytest.fixture(scope="module")
def answer() -> dict[str, Any]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        process = subprocess.run(
            [sys.executable, "-I", str(PROBES), str(os.getpid())],
            stdin=theirs.fileno(),
            capture_output=True,
            env={"TZ": "UTC"},
            timeout=60,
            check=False,
        )
        assert process.returncode == 0, process.stderr.decode()
        answer: dict[str, Any] = json.loads(ours.recv(1 << 16))
    return answer


def test_there_are_at_least_twenty_attempts() -> None:
    assert len(NAMES) >= 20


@pytest.mark.parametrize("name", NAMES)
def test_a_turn_process_cannot(name: str, answer: dict[str, Any]) -> None:
    assert answer["attempts"][name] == OTHER_ERRORS.get(name, "PermissionError")


def test_limits_privileges_and_system_calls_are_always_locked(answer: dict[str, Any]) -> None:
    assert {"rlimits", "prctl", "seccomp"} <= set(answer["layers"])


def test_a_process_whose_parent_has_gone_does_not_go_on() -> None:
    code = "from services.turn_process.lockdown import lock_down; lock_down(1 << 22)"
    process = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, timeout=60, check=False)
    assert process.returncode != 0


def test_a_process_with_threads_is_not_locked_down_since_the_filter_would_not_hold_for_them() -> None:
    code = "import threading, os; threading.Thread(target=threading.Event().wait, daemon=True).start()"
    code += "; from services.turn_process.lockdown import lock_down; lock_down(os.getppid())"
    process = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, timeout=60, check=False)
    assert b"LockdownFailed" in process.stderr


def test_an_unknown_machine_is_refused_by_name() -> None:
    with pytest.raises(LockdownFailed, match="riscv64"):
        _filter_program("riscv64")


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_every_jump_of_the_filter_lands_inside_it_and_its_last_word_is_no(machine: str) -> None:
    steps = _filter_program(machine)
    jumps = [at + 1 + max(yes, no) for at, (_, yes, no, _) in enumerate(steps)]
    assert max(jumps) <= len(steps)
    assert steps[-1] == (0x06, 0, 0, 0x00050001)
