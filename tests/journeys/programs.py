"""The programs one by one, so that a journey can kill exactly one of them at the worst moment."""

import asyncio
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

from services.readiness import is_ready
from tests.journeys.system import ENDS_WITHIN, STARTS_WITHIN, clean_environment
from tests.ports import free_address, free_port


class Programs:
    """Gateway, dialog worker and integration worker against one server."""

    def __init__(self, redis_url: str, logs: Path, **environment: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._logs = logs
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._ops: dict[str, str] = {}
        self._environment = {
            **clean_environment(),
            "BOTLANE_REDIS_URL": redis_url,
            "BOTLANE_SECRET": secrets.token_hex(32),
            "BOTLANE_PORT": str(self.port),
            "BOTLANE_CREATE_RATE": "100000",
            **environment,
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes.values():
            process.send_signal(signal.SIGTERM)
        for process in self._processes.values():
            try:
                process.wait(ENDS_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def start(self, *names: str) -> None:
        """Start programs by the names of their packages."""
        for name in names:
            ops = free_address()
            log = (self._logs / f"{name}.log").open("ab")
            self._processes[name] = subprocess.Popen(
                [sys.executable, "-m", f"services.{name}"],
                env={**self._environment, "BOTLANE_OPS": ops},
                stdout=log,
                stderr=log,
            )
            log.close()
            self._ops[name] = ops

    async def ready(self, *names: str) -> None:
        """Wait until programs are ready."""
        deadline = time.monotonic() + STARTS_WITHIN
        for name in names:
            while not await asyncio.to_thread(is_ready, self._ops[name], 1.0):
                if self._processes[name].poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(f"{name} did not get ready:\n{(self._logs / f'{name}.log').read_text()}")
                await asyncio.sleep(0.02)

    def kill(self, name: str) -> None:
        """End a program without a chance to tidy up."""
        self._processes[name].kill()
        self._processes[name].wait()

    def pid(self, name: str) -> int:
        """The process id of a program."""
        return self._processes[name].pid
