"""A program that runs as a child: in a session of its own, so that Ctrl-C reaches only us, and never outliving us."""

import asyncio
import contextlib
import ctypes
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class ChildPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How to start a child. `log` None lets it write to our terminal. `when_we_die` is the signal it then gets."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str]
    log: Path | None = None
    when_we_die: signal.Signals = signal.SIGKILL
    keep_open: tuple[int, ...] = ()


class Child:
    """A running child process."""

    def __init__(self, plan: ChildPlan, process: asyncio.subprocess.Process) -> None:
        self.plan = plan
        self.pid = process.pid
        self._process = process

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative for the signal that ended it."""
        return self._process.returncode

    async def wait(self) -> int:
        """Wait for its end and return the exit code."""
        return await self._process.wait()

    async def stop(self, grace: float) -> None:
        """Ask it to end, and after `grace` seconds end it with everything in its session."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), grace)
        await self.kill()

    async def kill(self) -> None:
        """End it now, and its children, if it still runs."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        await self._process.wait()


async def start_child(plan: ChildPlan) -> Child:
    """Start a child. Raises OSError when its program cannot be started."""
    with contextlib.ExitStack() as stack:
        output = stack.enter_context(plan.log.open("ab")) if plan.log else None
        process = await asyncio.create_subprocess_exec(
            *plan.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output and asyncio.subprocess.STDOUT,
            env=plan.environment,
            start_new_session=True,
            pass_fds=plan.keep_open,
            preexec_fn=_die_with(os.getpid(), plan.when_we_die),  # one system call between fork and exec
        )
    return Child(plan, process)


def last_lines(log: Path, count: int = 8) -> Sequence[str]:
    """Return the end of a log, for a message about a child that failed."""
    with log.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - 8192))
        return file.read().decode(errors="replace").splitlines()[-count:]


def _die_with(parent: int, signal_number: signal.Signals) -> Callable[[], None]:
    def arrange() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal_number)
        if os.getppid() != parent:  # it died before we asked to be told
            os._exit(1)

    return arrange
