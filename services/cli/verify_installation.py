"""The installation that `botlane verify` starts for itself, and breaks: each program a process of its own."""

import asyncio
import contextlib
import os
import random
import signal
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from services.cli.data_folder import DataFolder
from services.cli.embedded_server import EmbeddedServer
from services.cli.failure import CommandFailed
from services.cli.listening import free_port
from services.cli.process_tree import ProcessTree, Program, Stage
from services.cli.run import program_plan, starter
from services.settings import Settings, read_settings
from services.verifier.bot import export, manifest
from shared.bot.source import BotSource
from shared.queue.jobs import LEASE_MS
from shared.store import keys
from shared.store.bots import Bots
from shared.store.connection import RedisUnreachable, connect, translated

_PROGRAMS = ("gateway", "dialog-worker", "integration-worker")
_GATEWAYS, _DIALOG_WORKERS = 2, 2
_PAUSES = (LEASE_MS / 1000 + 0.5, LEASE_MS / 1000 + 2.0)
"""Seconds for which a worker is stopped: longer than its lease."""


class OwnInstallation:
    """Two gateways, two dialog workers, an integration worker, and the server they share."""

    kinds: tuple[str, ...] = (
        "gateway",
        "dialog worker",
        "turn process",
        "integration worker",
        "restart",
        "pause",
        "lost queue",
    )

    def __init__(self, folder: Path) -> None:
        self.urls: list[str] = []
        self._folder = DataFolder(folder, "--keep")
        self._server = EmbeddedServer(self._folder)
        self._redis = connect(self._server.url)
        self._tree = ProcessTree(changed=lambda: None, tell=lambda _: None)
        self._background: set[asyncio.Task[None]] = set()

    async def start(self, api_url: str) -> None:
        """Start everything, with the bot of the load published. Raises CommandFailed."""
        await self._tree.start(Program("valkey", Stage.SERVER, self._server.start))
        settings = self._settings()
        await Bots(self._redis, settings.conversation_ttl).publish(BotSource(export(), manifest(api_url)))
        for number in range(1, _GATEWAYS + 1):
            port = free_port("127.0.0.1")
            self.urls.append(f"http://127.0.0.1:{port}")
            await self._start(f"gateway-{number}", "gateway", msgspec.structs.replace(settings, port=port))
        for number in range(1, _DIALOG_WORKERS + 1):
            await self._start(f"dialog-worker-{number}", "dialog-worker", settings)
        await self._start("integration-worker", "integration-worker", settings)
        await self._tree.ready()

    async def watch(self) -> None:
        """Start again what dies, until cancelled. Raises CommandFailed when something dies again and again."""
        await self._tree.watch()

    async def stop(self) -> None:
        """Stop everything, and remove what it left."""
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        await self._redis.aclose()
        await self._tree.stop()
        self._folder.close()

    async def strike(self, kind: str, chance: random.Random) -> bool:
        """Break one thing of a kind; False: there was nothing to break."""
        match kind:
            case "lost queue":
                return await self._lose_queue(chance)
            case "pause":
                return self._pause(self._pid(chance.choice(("dialog-worker", "integration-worker")), chance), chance)
            case "restart":
                return _signal(self._pid(chance.choice(_PROGRAMS), chance), signal.SIGTERM)
            case "turn process":
                return _kill(chance.choice(_children(self._pid("dialog-worker", chance)) or [0]))
            case _:
                return _kill(self._pid(kind.replace(" ", "-"), chance))

    async def _start(self, name: str, program: str, settings: Settings) -> None:
        ops = f"127.0.0.1:{free_port('127.0.0.1')}"
        own = msgspec.structs.replace(settings, ops=ops)
        plan = program_plan(program, own, self._folder.logs / f"{name}.log")
        stage = Stage.ENTRANCE if program == "gateway" else Stage.WORKER
        await self._tree.start(Program(name, stage, starter(plan), ops))

    def _settings(self) -> Settings:
        return msgspec.structs.replace(
            read_settings(),
            redis_url=self._server.url,
            secrets=(self._folder.secret(),),
            host="127.0.0.1",
            create_rate=1_000_000,
            web_view_rate=1_000_000,
            web_view_address_rate=1_000_000,
            turn_processes=1,
            completion_wait=1.0,
            rewrite_urls=(),
            shards=1,
            console=False,
        )

    def _pid(self, program: str, chance: random.Random) -> int:
        return chance.choice([pid for name, pid in self._tree.pids.items() if name.startswith(program)])

    async def _lose_queue(self, chance: random.Random) -> bool:
        queue = chance.choice((keys.dialog_queue(0), keys.integration_queue(0)))
        with contextlib.suppress(RedisUnreachable), translated():
            return bool(await self._redis.delete(queue))
        return False

    def _pause(self, pid: int, chance: random.Random) -> bool:
        """Stop a process, and let it go on when it has lost its lease."""
        if not _signal(pid, signal.SIGSTOP):
            return False
        task = asyncio.create_task(_go_on(pid, chance.uniform(*_PAUSES)))
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return True


async def _go_on(pid: int, seconds: float) -> None:
    try:
        await asyncio.sleep(seconds)
    finally:
        _signal(pid, signal.SIGCONT)


def _children(pid: int) -> list[int]:
    """Return the processes that a process has started and that still run."""
    with contextlib.suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def _kill(pid: int) -> bool:
    return pid > 0 and _signal(pid, signal.SIGKILL)


def _signal(pid: int, number: signal.Signals) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


@contextlib.asynccontextmanager
async def own_installation(api_url: str, keep: Path | None) -> AsyncIterator[OwnInstallation]:
    """Start an installation; it has ended, and its folder is gone unless it is to be kept, when the block is left."""
    with contextlib.ExitStack() as stack:
        folder = keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="botlane-verify-")))
        installation = OwnInstallation(folder)
        try:
            await installation.start(api_url)
            yield installation
        except RedisUnreachable as error:
            raise CommandFailed(f"The server of the installation went away: {error}", 3) from error
        finally:
            await installation.stop()
