"""`botlane deploy` and `botlane bots`: what the programs of a Redis run."""

import asyncio
from pathlib import Path

import click

from services.cli.check_command import counts
from services.cli.failure import CommandFailed
from services.cli.plain import plain
from services.cli.server_option import server, server_address, with_server
from services.settings import Settings, read_settings
from shared.bot.bot import compile_bot
from shared.bot.source import BotSource, read_bot
from shared.store.bots import Bots, CurrentBot

SHORT = 12
"""Hex digits of a version that a person needs."""


def read_bots(paths: tuple[Path, ...], manifest: Path | None) -> list[BotSource]:
    """Read exports and check that each compiles. Raises BotError for a bad file, CommandFailed for two of one id."""
    if manifest is not None and len(paths) != 1:
        raise CommandFailed("--manifest goes with one bot: put each manifest beside its export as NAME.botlane.toml.")
    if manifest is not None and not manifest.exists():
        raise CommandFailed(f"{manifest}: there is no such file. Give the path of a manifest with --manifest.")
    sources = [read_bot(path, manifest) for path in paths]
    seen: dict[str, Path] = {}
    for path, source in zip(paths, sources, strict=True):
        bot_id = compile_bot(source).id
        if bot_id in seen:
            raise CommandFailed(f"{seen[bot_id]} and {path} both hold the bot {bot_id}: give one of them.")
        seen[bot_id] = path
    return sources


@click.command(short_help="Publish exported bots.")
@click.argument("bots", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="BOT...")
@click.option(
    "--manifest", type=click.Path(path_type=Path), help="Manifest of a single BOT, instead of the one beside it."
)
@with_server
def deploy(bots: tuple[Path, ...], manifest: Path | None, redis: str, data: Path | None) -> None:
    """Publish exported bots; sessions that run stay on the version they began with.

    What is wrong with a bot is counted on standard error, and keeps it from nothing: botlane check shows it.
    """
    settings = read_settings()
    sources = read_bots(bots, manifest)
    for line in filter(None, map(counts, bots, sources)):
        click.echo(line, err=True)
    for bot in asyncio.run(_deploy(server_address(redis, data, settings), settings, sources)):
        click.echo(_line(bot))


@click.command("bots")
@with_server
def bots(redis: str, data: Path | None) -> None:
    """List the published bots with their ids and versions."""
    settings = read_settings()
    published = asyncio.run(_published(server_address(redis, data, settings), settings))
    for bot in published:
        click.echo(_line(bot))
    if not published:
        click.echo("No bot is published: use botlane deploy.", err=True)


def _line(bot: CurrentBot) -> str:
    return plain(f"{bot.id}  {bot.version[:SHORT]}  {bot.name}")


async def _deploy(url: str, settings: Settings, sources: list[BotSource]) -> list[CurrentBot]:
    async with server(url) as redis:
        store = Bots(redis, settings.conversation_ttl)
        return [await store.publish(source) for source in sources]


async def _published(url: str, settings: Settings) -> list[CurrentBot]:
    async with server(url) as redis:
        return await Bots(redis, settings.conversation_ttl).published()
