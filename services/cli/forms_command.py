"""`botlane forms`: which forms still prove by the hash of two ids that they may post, which anybody can make."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from services.cli.plain import plain
from services.cli.server_option import server, server_address, with_server
from services.settings import Settings, read_settings
from shared.queue.origins import OTHERS, OriginUse, read_origins
from shared.store.bots import Bots

_NAMES = {"": "(no origin: a program, not a page)", OTHERS: "(others: more than 100 origins)"}


class OriginShown(msgspec.Struct, frozen=True):
    """An origin that uses the hash; empty for programs that name none."""

    origin: str
    first: str
    last: str
    calls: int


class Forms(msgspec.Struct, frozen=True, rename="camel"):
    """What is known of a bot's forms; times are ISO 8601."""

    bot: str
    name: str
    mode: str
    origins: list[OriginShown]


@click.command(short_help="List the origins whose forms still use the hash.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
@with_server
def forms(*, as_json: bool, redis: str, data: Path | None) -> None:
    """List the origins whose forms still use the hash, and when they last did (the last 30 days).

    When a bot's list stays empty, `[web_view] mode = "safe"` in its manifest breaks no form: docs/web-view.md.
    """
    settings = read_settings()
    found = asyncio.run(_forms(server_address(redis, data, settings), settings))
    if as_json:
        click.echo(msgspec.json.encode(found))
        return
    for one in found:
        click.echo("\n".join(_lines(one)))
    if not found:
        click.echo("No bot is published: use botlane deploy.", err=True)


async def _forms(url: str, settings: Settings) -> list[Forms]:
    async with server(url) as redis:
        published = await Bots(redis, settings.conversation_ttl).published()
        return [
            Forms(
                bot.id,
                bot.name,
                bot.web_view_mode,
                [_shown(use) for use in await read_origins(redis, bot.id, settings.shards)],
            )
            for bot in published
        ]


def _lines(one: Forms) -> list[str]:
    lines = [plain(f"{one.name} ({one.bot}): {one.mode} mode")]
    if not one.origins:
        lines.append("  no form has used the hash in the last 30 days")
    for use in one.origins:
        name = _NAMES.get(use.origin, use.origin)
        calls = "1 call" if use.calls == 1 else f"{use.calls:,} calls"
        lines.append(plain(f"  {name}  last {_short(use.last)}  first {_short(use.first)}  {calls}"))
    return lines


def _shown(use: OriginUse) -> OriginShown:
    return OriginShown(use.origin, _iso(use.first), _iso(use.last), use.calls)


def _iso(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _short(at: str) -> str:
    return at[:16].replace("T", " ") + " UTC"
