"""The options of `botlane run`."""

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import msgspec

from services.cli.bots_commands import read_bots
from services.cli.check_command import counts
from services.cli.data_folder import USUAL
from services.cli.run import RunPlan, run_tree
from services.cli.server_option import check_address, named_by
from services.cli.settings_help import epilog
from services.setting_forms import rewrite_url
from services.settings import read_settings

# What `run` decides for itself, whatever the environment says (see `services.cli.run`).
_CHOSEN = ("redis_url", "ops", "console", "keyless", "trace_ttl", "completion_wait", "secret_commands")


@click.command(epilog=epilog(without=_CHOSEN), short_help="Run exported bots, with a server of their own.")
@click.argument("bots", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="BOT...")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port of the gateway, 0 for a free one [default: BOTLANE_PORT]."
)
@click.option("--host", help="Address the gateway listens on [default: BOTLANE_HOST].")
@click.option("--data", type=click.Path(path_type=Path), default=USUAL, show_default=True, help="Data folder.")
@click.option("--redis", default="", help="Address of a Redis to use instead of an embedded server.")
@click.option(
    "--manifest", type=click.Path(path_type=Path), help="Manifest of a single BOT, instead of the one beside it."
)
@click.option(
    "--rewrite-url",
    "rewrites",
    multiple=True,
    metavar="FROM=TO",
    help="Send calls with one prefix elsewhere, beside those of BOTLANE_REWRITE_URLS.",
)
@click.option(
    "--beside", multiple=True, metavar="COMMAND", help="Start this command too and end it with everything else."
)
def run(  # noqa: PLR0913 - one argument an option
    *,
    bots: tuple[Path, ...],
    port: int | None,
    host: str | None,
    data: Path,
    redis: str,
    manifest: Path | None,
    rewrites: tuple[str, ...],
    beside: tuple[str, ...],
) -> int:
    """Run exported bots on this machine: server, gateway and workers together.

    BOT is a JSON file exported from Conversation Builder, with its manifest NAME.botlane.toml beside it if it has one.
    The address and the process ids are in ready.json in the data folder while everything runs.
    """
    if redis:
        check_address(redis)
    settings = read_settings()
    hint = "FROM=TO, both http or https addresses"
    more = [_parsed("--rewrite-url", rewrite_url, text, hint) for text in rewrites]
    chosen = {
        "port": settings.port if port is None else port,
        "host": host or settings.host,
        "rewrite_urls": (*settings.rewrite_urls, *more),
    }
    sources = read_bots(bots, manifest)
    for line in filter(None, map(counts, bots, sources)):
        click.echo(line, err=True)
    plan = RunPlan(
        sources=sources,
        settings=msgspec.structs.replace(settings, **chosen),
        data=data,
        redis=redis,
        beside=[_parsed("--beside", _words, text, "a command") for text in beside],
    )
    with named_by("--redis" if redis else "the data folder (--data), where the embedded server has its log"):
        return run_tree(plan)


def _words(command: str) -> tuple[str, ...]:
    """Return a command's words, as a shell would. Raises ValueError when there are none or a quote is open."""
    words = tuple(shlex.split(command))
    if not words:
        raise ValueError(command)
    return words


def _parsed(option: str, read: Callable[[str], Any], text: str, hint: str) -> Any:
    try:
        return read(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} cannot be used: give it {hint}.", param_hint=option) from None
