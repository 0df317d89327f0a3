"""The programs one by one, so that a journey can kill exactly one of them at the worst moment."""

import asyncio
import re
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

import aiohttp

from services.readiness import is_ready
from tests.journeys.system import ENDS_WITHIN, STARTS_WITHIN, clean_environment
from tests.ports import free_address, free_port


class Programs:
    """Programs against one server, by the names of their packages; `gateway-2` is a second gateway."""

    def __init__(self, redis_url: str, logs: Path, **environment: str) -> None:
        self.logs = logs
        self.ports = {"gateway": free_port()}
        self.url = self.url_of("gateway")
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._ops: dict[str, str] = {}
        self._environment = {
            **clean_environment(),
            "BOTLANE_REDIS_URL": redis_url,
            "BOTLANE_SECRET": secrets.token_hex(32),
            "BOTLANE_CREATE_RATE": "100000",
            "BOTLANE_TURN_PROCESSES": "1",
            "BOTLANE_WEB_VIEW_RATE": "1000000",
            "BOTLANE_WEB_VIEW_ADDRESS_RATE": "1000000",
            **environment,
        }

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes.values():
            process.send_signal(signal.SIGCONT)
            process.send_signal(signal.SIGTERM)
        for process in self._processes.values():
            try:
                process.wait(ENDS_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def url_of(self, gateway: str) -> str:
        """The address of a gateway, the same when it is started again."""
        port = self.ports.setdefault(gateway, 0) or free_port()
        self.ports[gateway] = port
        return f"http://127.0.0.1:{port}"

    def start(self, *names: str, **environment: str) -> None:
        """Start programs, with variables of their own."""
        for name in names:
            ops = free_address()
            own = {**self._environment, "BOTLANE_OPS": ops, **environment}
            if name.startswith("gateway"):
                own["BOTLANE_PORT"] = self.url_of(name).rpartition(":")[2]
            command = [sys.executable, "-m", f"services.{name.partition('-')[0]}"]
            with (self.logs / f"{name}.log").open("ab") as log:
                self._processes[name] = subprocess.Popen(command, env=own, stdout=log, stderr=log)
            self._ops[name] = ops

    async def ready(self, *names: str) -> None:
        """Wait until programs are ready."""
        deadline = time.monotonic() + STARTS_WITHIN
        for name in names:
            while not await asyncio.to_thread(is_ready, self._ops[name], 1.0):
                if self._processes[name].poll() is not None or time.monotonic() > deadline:
                    raise AssertionError(f"{name} did not get ready:\n{(self.logs / f'{name}.log').read_text()}")
                await asyncio.sleep(0.02)

    def log(self, name: str) -> str:
        """What a program has written so far."""
        return (self.logs / f"{name}.log").read_text()

    async def metric(self, name: str, metric: str) -> float:
        """The sum of a metric over its labels, as the program's operations port tells it."""
        async with aiohttp.ClientSession() as http, http.get(f"http://{self._ops[name]}/metrics") as answer:
            lines = (await answer.text()).splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if re.match(rf"{metric}(\{{|\s)", line))

    def send(self, name: str, number: int) -> None:
        """Send a signal to a program."""
        self._processes[name].send_signal(number)

    async def end(self, name: str) -> float:
        """Ask a program to end and return the seconds it took. It must end by itself, and well."""
        began = time.monotonic()
        self.send(name, signal.SIGTERM)
        code = await asyncio.to_thread(self._processes[name].wait, ENDS_WITHIN + 25)
        assert code == 0, f"{name} ended with {code}:\n{self.log(name)}"
        return time.monotonic() - began

    def ops(self, name: str) -> str:
        """The operations address of a program."""
        return self._ops[name]

    def kill(self, name: str) -> None:
        """End a program without a chance to tidy up."""
        self._processes[name].kill()
        self._processes[name].wait()

    def pid(self, name: str) -> int:
        """The process id of a program."""
        return self._processes[name].pid
