"""What is measured, started as `botlane run` starts it: the embedded server, and the programs or the baseline on it."""

import asyncio
import contextlib
import secrets
import sys
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from arq.connections import ArqRedis

from services.cli.bots_commands import read_bots
from services.cli.child import Child, ChildPlan, start_child
from services.cli.data_folder import DataFolder
from services.cli.embedded_server import EmbeddedServer
from services.cli.listening import free_port
from services.readiness import is_ready
from services.settings import Settings, child_environment
from shared.store.bots import Bots
from shared.store.connection import connect

PROGRAMS = ("gateway", "dialog-worker", "integration-worker")
READY_SECONDS = 30.0
STOP_SECONDS = 5.0


class System(msgspec.Struct, frozen=True):
    """Something that runs: where it listens, its server, and its processes by name."""

    host: str
    redis_url: str
    settings: Settings
    redis: ArqRedis
    programs: dict[str, int]


class Systems:
    """Starts systems in a folder, each with a server of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started = 0

    @contextlib.asynccontextmanager
    async def server(self) -> AsyncIterator[tuple[str, int]]:
        """Start the embedded server as `botlane run` configures it; give its address and process."""
        self._started += 1
        with contextlib.closing(DataFolder(self._folder / str(self._started))) as data:
            server = EmbeddedServer(data)
            child = await server.start()
            try:
                yield server.url, child.pid
            finally:
                await child.stop(STOP_SECONDS)

    @contextlib.asynccontextmanager
    async def inline(self) -> AsyncIterator[System]:
        """Start the baseline."""
        port = free_port("127.0.0.1")
        async with self.server() as (url, valkey), connected(url) as redis:
            command = (sys.executable, "-m", "tests.bench.inline", str(port), url)
            settings = Settings(redis_url=url, port=port)
            async with self.child("inline", command, settings) as child:
                await until_listening(port, child)
                programs = {"inline": child.pid, "valkey": valkey}
                yield System(f"127.0.0.1:{port}", url, settings, redis, programs)

    @contextlib.asynccontextmanager
    async def botlane(
        self, bots: Sequence[Path], programs: Sequence[str] = PROGRAMS, **settings: Any
    ) -> AsyncIterator[System]:
        """Start our programs on a server that has these bots."""
        async with contextlib.AsyncExitStack() as stack:
            url, valkey = await stack.enter_async_context(self.server())
            redis = await stack.enter_async_context(connected(url))
            shape = Settings(
                redis_url=url, port=free_port("127.0.0.1"), secrets=(secrets.token_hex(32),), create_rate=10**6
            )
            shape = msgspec.structs.replace(shape, completion_wait=1.0, **settings)
            store = Bots(redis, shape.conversation_ttl)
            for source in read_bots(tuple(bots), None):
                await store.publish(source)
            pids = {"valkey": valkey} | await stack.enter_async_context(self.programs(programs, shape))
            yield System(f"127.0.0.1:{shape.port}", url, shape, redis, pids)

    @contextlib.asynccontextmanager
    async def programs(self, names: Sequence[str], settings: Settings) -> AsyncIterator[dict[str, int]]:
        """Start programs of ours, several of one kind as `name/2`, and give their processes when all are ready."""
        async with contextlib.AsyncExitStack() as stack:
            started = {}
            for name in names:
                own = msgspec.structs.replace(settings, ops=f"127.0.0.1:{free_port('127.0.0.1')}")
                module = f"services.{name.partition('/')[0].replace('-', '_')}"
                command = (sys.executable, "-P", "-m", module)
                started[name] = await stack.enter_async_context(self.child(name, command, own)), own.ops
            for child, ops in started.values():
                await _until_ready(child, ops)
            yield {name: child.pid for name, (child, _) in started.items()}

    @contextlib.asynccontextmanager
    async def child(self, name: str, command: tuple[str, ...], settings: Settings) -> AsyncIterator[Child]:
        """Start any program with these settings."""
        log = self._folder / f"{name.replace('/', '-')}.log"
        child = await start_child(
            ChildPlan(name=name, command=command, environment=child_environment(settings), log=log)
        )
        try:
            yield child
        finally:
            await child.stop(STOP_SECONDS)


@contextlib.asynccontextmanager
async def connected(url: str) -> AsyncIterator[ArqRedis]:
    """Give a client of a server for as long as the block runs."""
    redis = connect(url)
    try:
        yield redis
    finally:
        await redis.aclose()


async def _until_ready(child: Child, ops: str) -> None:
    patience = time.monotonic() + READY_SECONDS
    while not await asyncio.to_thread(is_ready, ops, 1.0):
        if child.exit_code is not None or time.monotonic() > patience:
            raise RuntimeError(f"{child.plan.name} did not get ready: {_said(child)}")
        await asyncio.sleep(0.02)


async def until_listening(port: int, child: Child) -> None:
    """Wait until somebody accepts connections at a port. Raises RuntimeError when the child ends before."""
    patience = time.monotonic() + READY_SECONDS
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            if child.exit_code is not None or time.monotonic() > patience:
                raise RuntimeError(f"{child.plan.name} does not listen: {_said(child)}") from None
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return


def _said(child: Child) -> str:
    return child.plan.log.read_text()[-2000:] if child.plan.log else ""
