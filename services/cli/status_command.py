"""`botlane status`: an installation on one screen."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import click
import msgspec
from arq.connections import ArqRedis
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from services.cli.server_option import server, server_address, with_server
from services.cli.status_page import away, clock, page
from services.cli.status_reading import Status, read_status
from services.settings import Settings, read_settings
from shared.store.connection import RedisUnreachable

EVERY_SECONDS = 2.0


@click.command()
@click.option("--watch", is_flag=True, help="Show it again every two seconds, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object; with --watch one a line.")
@with_server
def status(*, watch: bool, as_json: bool, redis: str, data: Path | None) -> None:
    """Show the server, conversations, queues, programs and bots, and what should be looked at."""
    settings = read_settings()
    url = server_address(redis, data, settings)
    if as_json:
        asyncio.run(_print(url, settings, lambda found: click.echo(msgspec.json.encode(found)), again=watch))
    elif not watch:
        asyncio.run(_print(url, settings, lambda found: Console(highlight=False).print(page(found)), again=False))
    else:
        asyncio.run(_watch(url, settings))


async def _print(url: str, settings: Settings, tell: Callable[[Status], None], *, again: bool) -> None:
    async with server(url) as redis:
        tell(await read_status(redis, settings))
        while again:
            await asyncio.sleep(EVERY_SECONDS)
            tell(await read_status(redis, settings))


async def _watch(url: str, settings: Settings) -> None:
    """Show one screen after the other; a server that goes away meanwhile is waited for."""
    console = Console(highlight=False)
    async with server(url) as redis:
        first = _titled(await read_status(redis, settings))
        with Live(first, console=console, screen=console.is_terminal, auto_refresh=False) as live:
            live.refresh()
            while True:
                await asyncio.sleep(EVERY_SECONDS)
                live.update(await _next(redis, settings), refresh=True)


async def _next(redis: ArqRedis, settings: Settings) -> RenderableType:
    try:
        return _titled(await read_status(redis, settings))
    except RedisUnreachable as error:
        return away(str(error))


def _titled(found: Status) -> RenderableType:
    return Group(Text(f"botlane status · {clock(found)} · Ctrl-C ends", style="dim"), "", page(found))
