"""The programs of `botlane run`: started, watched, started again when they die, and stopped in order.

Stopping follows the way of a message: first nothing new comes in, then the workers end what they have begun, then the
server goes. Everything is over within the sum of STAGE_SECONDS, whatever they do: Ctrl-C may take three seconds, and
the machine may be busy.
"""

import asyncio
import enum
import signal
import time
from collections.abc import Awaitable, Callable

import click
import msgspec

from services.cli.child import Child, last_lines
from services.cli.failure import FINDINGS, CommandFailed
from services.readiness import is_ready

READY_SECONDS = 60.0
SHORT_LIFE = 2.0
SHORT_LIVES = 5
"""A program that dies so often in a row, each time within SHORT_LIFE seconds, is given up."""


class Stage(enum.IntEnum):
    """When a program is stopped: the highest first."""

    SERVER = 0
    WORKER = 1
    ENTRANCE = 2


STAGE_SECONDS = {Stage.ENTRANCE: 0.5, Stage.WORKER: 1.5, Stage.SERVER: 0.4}


class Program(msgspec.Struct, frozen=True):
    """What the tree keeps running. `ops` is the address that says whether it is ready; empty: when it has started."""

    name: str
    stage: Stage
    start: Callable[[], Awaitable[Child]]
    ops: str = ""


class ProcessTree:
    """The children of one `run`. `changed` is called when one was started again; `tell` says why, by default aloud."""

    def __init__(self, changed: Callable[[], None], tell: Callable[[str], None] | None = None) -> None:
        self._changed = changed
        self._tell = tell or _say
        self._programs: list[Program] = []
        self._children: dict[str, Child] = {}

    @property
    def pids(self) -> dict[str, int]:
        """The process id of each program, by name."""
        return {name: child.pid for name, child in self._children.items()}

    async def start(self, program: Program) -> None:
        """Start a program; from now on `stop` stops it."""
        self._programs.append(program)
        self._children[program.name] = await program.start()

    async def ready(self) -> None:
        """Wait until all programs are ready. Raises CommandFailed when one ends or takes too long."""
        waiting = {program.name: program.ops for program in self._programs if program.ops}
        patience = time.monotonic() + READY_SECONDS
        while waiting:
            for child in self._children.values():
                if child.exit_code is not None:
                    raise CommandFailed(_end_of(child), FINDINGS)
            answers = await asyncio.gather(*(asyncio.to_thread(is_ready, ops) for ops in waiting.values()))
            waiting = {name: waiting[name] for name, yes in zip(waiting, answers, strict=True) if not yes}
            if waiting and time.monotonic() > patience:
                raise CommandFailed(f"Not ready after {READY_SECONDS:.0f} s: {', '.join(waiting)}.", FINDINGS)
            await asyncio.sleep(0.03)

    async def watch(self) -> None:
        """Start again what dies, until cancelled. Raises CommandFailed when a program dies again and again."""
        keepers = [asyncio.create_task(self._keep(program)) for program in self._programs]
        try:
            await asyncio.gather(*keepers)
        finally:
            for keeper in keepers:
                keeper.cancel()
            await asyncio.wait(keepers)

    async def stop(self) -> None:
        """Stop all programs, stage by stage."""
        for stage in sorted(Stage, reverse=True):
            children = [
                self._children[program.name]
                for program in self._programs
                if program.stage is stage and program.name in self._children
            ]
            await asyncio.gather(*(child.stop(STAGE_SECONDS[stage]) for child in children))

    async def kill(self) -> None:
        """End all programs at once."""
        await asyncio.gather(*(child.kill() for child in self._children.values()))

    async def _keep(self, program: Program) -> None:
        short_lives = 0
        while True:
            started = time.monotonic()
            child = self._children[program.name]
            await child.wait()
            short_lives = short_lives + 1 if time.monotonic() - started < SHORT_LIFE else 0
            if short_lives >= SHORT_LIVES:
                raise CommandFailed(_end_of(child), FINDINGS)
            self._tell(f"{_what_ended(child)}: starting it again")
            self._children[program.name] = await program.start()
            self._changed()


def _say(what: str) -> None:
    click.echo(what, err=True)


def _what_ended(child: Child) -> str:
    code = child.exit_code or 0
    how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    return f"{child.plan.name} {how}"


def _end_of(child: Child) -> str:
    log = child.plan.log
    said = "".join(f"\n  {line}" for line in last_lines(log)) if log else ""
    return f"{_what_ended(child)}{f'; the end of {log}:' if said else ''}{said}"
