"""Showing what an installation has: once, again and again on one screen, or as JSON."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

import click
import msgspec
from arq.connections import ArqRedis
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from services.cli.plain import plain
from services.cli.server_option import server
from shared.store.connection import RedisUnreachable

EVERY_SECONDS = 2.0
T = TypeVar("T")


def show(
    url: str,
    read: Callable[[ArqRedis], Awaitable[T]],
    page: Callable[[T], RenderableType],
    titled: Callable[[T], str],
    *,
    watch: bool,
    as_json: bool,
) -> None:
    """Show what `read` returns: as its `page`, or as JSON; with `watch` every two seconds, until Ctrl-C."""
    if as_json:
        asyncio.run(_print(url, read, lambda found: click.echo(msgspec.json.encode(found)), again=watch))
    elif watch and sys.stdout.isatty():
        asyncio.run(_watch(url, read, lambda found: Group(_title(titled(found)), "", page(found))))
    else:  # a file or a pipe gets one screen below the other
        asyncio.run(_print(url, read, lambda found: _below(page(found), titled(found) if watch else ""), again=watch))


async def _print(url: str, read: Callable[[ArqRedis], Awaitable[T]], tell: Callable[[T], None], *, again: bool) -> None:
    async with server(url) as redis:
        tell(await read(redis))
        while again:
            await asyncio.sleep(EVERY_SECONDS)
            tell(await read(redis))


async def _watch(url: str, read: Callable[[ArqRedis], Awaitable[T]], screen: Callable[[T], RenderableType]) -> None:
    """Show one screen after the other; a server that goes away meanwhile is waited for."""
    console = Console(highlight=False)
    async with server(url) as redis:
        first = screen(await read(redis))
        with Live(first, console=console, screen=True, auto_refresh=False) as live:
            live.refresh()
            while True:
                await asyncio.sleep(EVERY_SECONDS)
                try:
                    live.update(screen(await read(redis)), refresh=True)
                except RedisUnreachable as error:
                    live.update(Text(f"! {plain(str(error))} Trying again.", style="bold red"), refresh=True)


def _below(page: RenderableType, title: str) -> None:
    """Print a screen below what there is."""
    console = Console(highlight=False)
    if title:
        console.print(f"\n{title}\n")
    console.print(page)


def _title(text: str) -> RenderableType:
    return Text(f"{text} · Ctrl-C ends", style="dim")
