"""A whole system for journeys: `botlane run` as a person starts it, and the APIs that bots call."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from aiohttp import web

STARTS_WITHIN = 90.0
ENDS_WITHIN = 60.0


class Running:
    """A started `botlane run`: its address, its data folder, and its processes."""

    def __init__(self, process: subprocess.Popen[bytes], data: Path, log: Path) -> None:
        self.process = process
        self.data = data
        self.log = log
        self.ready: dict[str, Any] = {}

    @property
    def url(self) -> str:
        return str(self.ready["url"]).rstrip("/")

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + STARTS_WITHIN
        file = self.data / "ready.json"
        while True:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"botlane run did not get ready:\n{self.log.read_text()}")
            if file.exists():
                ready = json.loads(file.read_text())
                if ready.get("pid") == self.process.pid:
                    self.ready = ready
                    return
            time.sleep(0.01)

    def stop(self) -> int:
        """End it as Ctrl-C does, and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(ENDS_WITHIN)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


@contextmanager
def botlane_run(data: Path, bots: list[Path], *options: str, **environment: str) -> Iterator[Running]:
    """Start `botlane run` on a free port; it has ended when the block is left."""
    data.mkdir(parents=True, exist_ok=True)
    log = data.with_name(data.name + ".log")
    command = [
        sys.executable,
        "-m",
        "services.cli",
        "run",
        *map(str, bots),
        "--port",
        "0",
        "--data",
        str(data),
        *options,
    ]
    variables = {**clean_environment(), "BOTLANE_TURN_PROCESSES": "1", **environment}
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=variables)
    running = Running(process, data, log)
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.stop()


def clean_environment() -> dict[str, str]:
    """The environment without settings of Botlane."""
    return {name: value for name, value in os.environ.items() if not name.startswith("BOTLANE_")}  # noqa: TID251 (tests start programs)


Handler = Callable[[web.Request], Any]


class LoopbackApi:
    """The APIs of the bots' authors, answered here: a route is a path, an answer JSON or a function."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.url = ""
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._runner: web.AppRunner | None = None
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._start())
        self._started.set()
        self._loop.run_forever()
        if self._runner is not None:
            self._loop.run_until_complete(self._runner.cleanup())
        self._loop.close()

    async def _start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request.method, request.path_qs, dict(request.headers), await request.read()))
        found = self.answers.get(request.path)
        if found is None:
            return web.json_response({"error": "not found"}, status=404)
        if callable(found):
            answer = await found(request)
            assert isinstance(answer, web.StreamResponse)
            return answer
        return web.json_response(found)
