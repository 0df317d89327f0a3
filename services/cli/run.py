"""`botlane run`: server, gateway and workers in one process tree, for a laptop and for tests."""

import asyncio
import contextlib
import os
import secrets
import shlex
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from services.cli.child import Child, ChildPlan, start_child
from services.cli.data_folder import DataFolder
from services.cli.embedded_server import EmbeddedServer
from services.cli.failure import INTERRUPTED, CommandFailed
from services.cli.listening import address, free_port, is_loopback, refuse_used_port
from services.cli.narrator import narrate
from services.cli.plain import plain
from services.cli.process_tree import ProcessTree, Program, Stage
from services.settings import Settings, child_environment, own_files
from shared.bot.source import BotSource
from shared.store.bots import Bots
from shared.store.connection import connect, reach

DAY = 24 * 3600
PROGRAMS = {"gateway": Stage.ENTRANCE, "dialog-worker": Stage.WORKER, "integration-worker": Stage.WORKER}


class RunPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What to run. `redis` empty: with a server of our own. `beside`: commands that start and end with us."""

    sources: list[BotSource]
    settings: Settings
    data: Path
    redis: str = ""
    beside: Sequence[tuple[str, ...]] = ()


class Ready(msgspec.Struct, frozen=True):
    """Content of `ready.json`. `redis` is the embedded server's address (for `deploy` beside a running `run`)."""

    url: str
    pid: int
    programs: dict[str, int]
    redis: str = ""


def run_tree(plan: RunPlan) -> int:
    """Run until interrupted and return the exit code. Raises CommandFailed when it cannot go on."""
    return asyncio.run(_run(plan))


async def _run(plan: RunPlan) -> int:
    folder = DataFolder(plan.data)
    with contextlib.closing(folder):
        settings = _complete(plan, folder)
        server = None if plan.redis else EmbeddedServer(folder)
        if server is not None:
            _refuse_replicated(settings)
            settings = msgspec.structs.replace(settings, redis_url=server.url)
        tree = ProcessTree(changed=lambda: _announce(folder, settings, tree, server))
        asked = _asked_to_stop(tree)
        serving = asyncio.create_task(_serve(plan, settings, folder, tree, server))
        try:
            either: tuple[asyncio.Future[Any], ...] = (serving, asked)
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if serving.done():
                serving.result()
            click.echo("\nStopping.")
        finally:
            await _cancelled(serving)
            await tree.stop()
        return INTERRUPTED if asked.result() is signal.SIGINT else 0


def _refuse_replicated(settings: Settings) -> None:
    if settings.durability == "replicated":
        message = "BOTLANE_DURABILITY=replicated waits for replicas, and an embedded server has none"
        raise CommandFailed(f"{message}: name a server that has some with --redis, or leave it `local`.")


def _asked_to_stop(tree: ProcessTree) -> "asyncio.Future[signal.Signals]":
    """Return what becomes the first signal that asks us to stop; a second one ends everything at once."""
    loop = asyncio.get_running_loop()
    asked: asyncio.Future[signal.Signals] = loop.create_future()
    hurry: list[asyncio.Task[None]] = []

    def ask(number: signal.Signals) -> None:
        if asked.done():
            hurry.append(loop.create_task(tree.kill()))
        else:
            asked.set_result(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, ask, number)
    return asked


async def _serve(
    plan: RunPlan, settings: Settings, folder: DataFolder, tree: ProcessTree, server: EmbeddedServer | None
) -> None:
    if server is not None:
        await tree.start(Program("valkey", Stage.SERVER, server.start))
    redis = connect(settings.redis_url)
    try:
        await reach(redis)
        bots = Bots(redis, settings.conversation_ttl)
        published = [await bots.publish(source) for source in plan.sources]
        for name, stage in PROGRAMS.items():
            ops = f"127.0.0.1:{free_port('127.0.0.1')}"
            own = msgspec.structs.replace(_only_what(name, settings), ops=ops)
            await tree.start(Program(name, stage, starter(program_plan(name, own, folder.logs / f"{name}.log")), ops))
        for words in plan.beside:
            beside = _beside(words)
            await tree.start(Program(beside.name, Stage.WORKER, starter(beside)))
        await tree.ready()
        _greet(settings, folder, [f"{bot.name} ({bot.id})" for bot in published])
        _announce(folder, settings, tree, server)  # last: who finds ready.json may rely on all the rest
        telling = asyncio.create_task(narrate(redis, settings))
        try:
            await tree.watch()
        finally:
            await _cancelled(telling)
    finally:
        await redis.aclose()


async def _cancelled(task: asyncio.Task[None]) -> None:
    """End a task. Once is not always enough: a read that completes in the same moment swallows the cancellation."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=0.1)


def _complete(plan: RunPlan, folder: DataFolder) -> Settings:
    """Return the settings all programs get: the user's, with what a laptop needs where they are silent."""
    settings = plan.settings
    here = is_loopback(settings.host)
    refuse_used_port(settings.host, settings.port)
    return msgspec.structs.replace(
        settings,
        redis_url=plan.redis or settings.redis_url,
        port=settings.port or free_port(settings.host),
        secrets=settings.secrets or (folder.secret(),),
        console=True,
        console_token=settings.console_token or ("" if here else secrets.token_urlsafe(16)),
        keyless=here,
        trace_ttl=DAY,
        secret_commands=True,  # who starts this gives the manifests too
        closed_files=(*settings.closed_files, *own_files(), *folder.closed()),
        completion_wait=1.0,  # leaves a worker time to end within its part of STAGE_SECONDS
    )


def _only_what(name: str, settings: Settings) -> Settings:
    """Return what a program gets: who may come in is checked by the gateway alone. All seal with the secret."""
    if name == "gateway":
        return settings
    return msgspec.structs.replace(settings, channel_keys={}, console_token="")


def program_plan(name: str, settings: Settings, log: Path) -> ChildPlan:
    """Return how to start one of the programs with these settings."""
    module = f"services.{name.replace('-', '_')}"
    return ChildPlan(
        name=name,
        command=(sys.executable, "-P", "-m", module),
        environment=child_environment(settings),
        log=log,
    )


def _beside(words: tuple[str, ...]) -> ChildPlan:
    return ChildPlan(name=shlex.join(words), command=words, environment=child_environment(Settings()))


def starter(plan: ChildPlan) -> Callable[[], Awaitable[Child]]:
    """Return what starts a child, and raises CommandFailed when its program cannot be started."""

    async def start() -> Child:
        try:
            return await start_child(plan)
        except OSError as error:
            raise CommandFailed(f"{plan.command[0]} cannot be started ({error.strerror}).") from error

    return start


def _announce(folder: DataFolder, settings: Settings, tree: ProcessTree, server: EmbeddedServer | None) -> None:
    folder.announce(Ready(address(settings), os.getpid(), tree.pids, server.url if server is not None else ""))


def _greet(settings: Settings, folder: DataFolder, bots: list[str]) -> None:
    if len(bots) == 1:
        click.echo(f"Botlane runs {plain(bots[0])}.")
    else:
        click.echo("\n  ".join(["Botlane runs", *map(plain, bots)]))
    where = address(settings) + (f"/?console={settings.console_token}" if settings.console_token else "")
    click.echo(f"Open {click.style(where, bold=True)}   (Ctrl-C ends everything)")
    click.echo(f"Data and logs are in {folder.path}.")
