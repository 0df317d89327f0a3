"""`botlane check`: what is wrong with a bot, before its consumers learn it."""

import shlex
import shutil
import sys
from pathlib import Path

import click

from services.check.codes import ERROR, WARNING
from services.check.report import Report, as_json, check_bot
from services.cli.failure import FINDINGS, WRONG_USE, CommandFailed
from services.cli.findings_text import as_text
from shared.bot.errors import BotError
from shared.bot.source import BotSource, read_bot

_COLOURS = {"error": "red", "warning": "yellow", "info": "blue"}
_WIDEST = 120


@click.command()
@click.argument("bots", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="BOT...")
@click.option(
    "--manifest", type=click.Path(path_type=Path), help="Manifest of a single BOT, instead of the one beside it."
)
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to tell it."
)
def check(bots: tuple[Path, ...], manifest: Path | None, form: str) -> int:
    """Say what is wrong with exported bots; nothing of them is run.

    The exit code is 1 when there are errors and 2 when a file cannot be loaded. docs/check.md explains every code.
    """
    if manifest is not None and len(bots) != 1:
        raise CommandFailed("--manifest goes with one bot: put each manifest beside its export as NAME.botlane.toml.")
    code = 0
    for path in bots:
        try:
            report = check_bot(read_bot(path, manifest))
        except BotError as error:
            click.echo(f"botlane: {error}", err=True)
            code = WRONG_USE
            continue
        click.echo(as_json(report) if form == "json" else _text(report, path))
        code = max(code, FINDINGS if report.count(ERROR) else 0)
    return code


def counts(path: Path, source: BotSource) -> str:
    """Return one line for who starts a bot: how much there is to mend, and how to see it; empty when there is none."""
    report = check_bot(source)
    if not report.count(ERROR) + report.count(WARNING):
        return ""
    return f"{path}: {report.summary()}; to see them: botlane check {shlex.quote(str(path))}"


def _text(report: Report, path: Path) -> str:
    """Wrap for a terminal; a pipe gets one line a sentence."""
    width = min(shutil.get_terminal_size().columns, _WIDEST) if sys.stdout.isatty() else 0
    return as_text(report, str(path), width=width, paint=_painted) + "\n"


def _painted(level: str) -> str:
    return click.style(level, fg=_COLOURS[level.strip()])
