"""`botlane test`: holds bots to what their test files say."""

import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from rich.console import Console

from services.cli.chaos import shake_all
from services.cli.failure import FINDINGS, CommandFailed
from services.cli.progress import watched
from services.cli.recording import record
from services.cli.written_files import refuse_unwritable, writing
from services.settings import process_environment
from services.tester.batch import Outcome, load, play_all, processes
from services.tester.coverage import lines, measure
from services.tester.coverage_page import page
from services.tester.installation import Installation
from services.tester.junit import junit
from services.tester.marked import SuiteError
from services.tester.reading import find_files, read_suite
from services.tester.remote import Unreachable
from services.tester.report import failures_of, show_failure, show_skipped, summary
from services.tester.suite import Scenario

_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command("test", short_help="Play the conversations of test files.")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@click.option("-k", "pattern", metavar="PATTERN", help="Only tests whose file or name matches this expression.")
@click.option("-j", "--jobs", type=click.IntRange(0), default=0, help="Processes; 0 chooses by the number of tests.")
@click.option("--coverage", type=_FOLDER, help="Say what no test reaches, and draw it in this folder.")
@click.option("--chaos", is_flag=True, help="Play every test again with each integration failing in every way.")
@click.option("--json", "json_form", is_flag=True, help="Say what --chaos found as JSON.")
@click.option("--junit", "junit_file", type=_FILE, help="Write JUnit XML here.")
@click.option("--against", metavar="URL", help="Play against the installation at this address.")
@click.option(
    "--stubs-port", type=click.IntRange(0, 65535), default=0, help="Answer here for services (--rewrite-url)."
)
@click.option("--channel-key", default="", help="Key of a channel of the installation, for profiles.")
@click.option("--console-token", default="", help="Token of the installation's console.")
@click.option("--record", "record_file", type=_FILE, help="Write a test file from a conversation with the bot PATH.")
@click.option("--from", "source", metavar="URL", default="http://127.0.0.1:8080", help="Where to --record from.")
@click.option("--conversation", metavar="ID", help="The conversation to --record.")
def test(  # noqa: PLR0913 - one argument an option
    *,
    paths: tuple[Path, ...],
    pattern: str | None,
    jobs: int,
    coverage: Path | None,
    chaos: bool,
    json_form: bool,
    junit_file: Path | None,
    against: str | None,
    stubs_port: int,
    channel_key: str,
    console_token: str,
    record_file: Path | None,
    source: str,
    conversation: str | None,
) -> int:
    """Play the conversations of test files (NAME.test.yaml, or all in a folder) and say where bots break their word.

    The engine runs in this process, without a server, unless --against names an installation. docs/testing.md shows
    what a test file looks like; --record writes one from a conversation of an installation whose console is on.
    --chaos looks for what consumers suffer when services fail: silence, loops, raw errors.
    """
    if json_form and not chaos:
        raise CommandFailed("--json goes with --chaos; --junit writes a file that programs read.")
    if chaos and (against or record_file or coverage):
        raise CommandFailed("--chaos plays in this process only: leave out --against, --record and --coverage.")
    if stubs_port and against is None:
        raise CommandFailed("--stubs-port goes with --against: without it no service is called.")
    refuse_unwritable("--junit", junit_file)
    if record_file is not None:
        click.echo(record(paths, record_file, source, conversation, console_token))
        return 0
    scenarios = _chosen(paths, pattern)
    if chaos:
        return shake_all(scenarios, jobs, json_form=json_form, junit_file=junit_file)
    if against is None:
        outcomes = play_all(scenarios, processes(jobs, len(scenarios)))
    else:
        outcomes = Installation(against, stubs_port, channel_key, console_token).play_all(scenarios)
    return _report(outcomes, len(scenarios), coverage, junit_file)


def _report(outcomes: Iterator[Outcome], total: int, coverage: Path | None, junit_file: Path | None) -> int:
    """Play, and say what became of it."""
    console = Console(highlight=False, soft_wrap=False)
    started = time.perf_counter()
    try:
        ended = list(watched(console, outcomes, total))
    except Unreachable as error:
        raise CommandFailed(str(error)) from error
    seconds = time.perf_counter() - started
    played = [outcome.played for outcome in ended]
    failed = failures_of(played)
    show_skipped(console, played)
    for one in failed:
        show_failure(console, one)
    if junit_file is not None:
        junit_file.write_bytes(junit(played))
    if coverage is not None:
        _tell_coverage(ended, coverage)
    console.print(summary(played, seconds), style="bold red" if failed else "green")
    return FINDINGS if failed else 0


def _chosen(paths: Sequence[Path], pattern: str | None) -> list[Scenario]:
    """Read the scenarios; files and bots that cannot be used end the command here, before anything runs."""
    try:
        expression = re.compile(pattern or "", re.IGNORECASE)
    except re.error as error:
        raise CommandFailed(f"-k is no regular expression: {error}.") from error
    environ = process_environment()
    try:
        scenarios = [one for file in find_files(paths) for one in read_suite(file, environ)]
    except SuiteError as error:
        raise CommandFailed(str(error)) from error
    chosen = [one for one in scenarios if expression.search(f"{one.place.file} {one.name}")]
    if not chosen:
        raise CommandFailed(f"No test matches -k {pattern}." if scenarios else "The files have no tests.")
    for bot, manifest in dict.fromkeys((one.bot, one.manifest) for one in chosen):
        load(bot, manifest)
    return chosen


def _tell_coverage(outcomes: list[Outcome], folder: Path) -> None:
    """Print what the tests never reached, and write the page that draws it."""
    found = measure(outcomes)
    for one in found:
        for line in lines(one):
            click.echo(line)
    target = folder / "index.html"
    with writing("--coverage", folder):
        folder.mkdir(parents=True, exist_ok=True)
        target.write_text(page(found), encoding="utf-8")
    click.echo(f"The dialogs are drawn in {target}.")
