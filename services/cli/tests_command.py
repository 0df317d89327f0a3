"""`botlane test`: holds bots to what their test files say."""

import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from services.cli.failure import FINDINGS, CommandFailed
from services.settings import process_environment
from services.tester.batch import Outcome, load, play_all, processes
from services.tester.coverage import lines, measure
from services.tester.coverage_page import page
from services.tester.junit import junit
from services.tester.marked import SuiteError
from services.tester.reading import find_files, read_suite
from services.tester.report import failures_of, show_failure, summary
from services.tester.suite import Scenario


@click.command("test")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@click.option("-k", "pattern", metavar="PATTERN", help="Only tests whose file or name matches this expression.")
@click.option("-j", "--jobs", type=click.IntRange(0), default=0, help="Processes; 0 chooses by the number of tests.")
@click.option(
    "--coverage", type=click.Path(path_type=Path, file_okay=False), help="Say what no test reaches; draw it here."
)
@click.option("--junit", "junit_file", type=click.Path(path_type=Path, dir_okay=False), help="Write JUnit XML here.")
def test(
    paths: tuple[Path, ...], pattern: str | None, jobs: int, coverage: Path | None, junit_file: Path | None
) -> int:
    """Play the conversations of test files (NAME.test.yaml, or all in a folder) and say where bots break their word.

    The engine runs in this process, without a server; docs/testing.md shows what a test file looks like.
    """
    scenarios = _chosen(paths, pattern)
    console = Console(highlight=False, soft_wrap=False)
    started = time.perf_counter()
    outcomes = list(_watched(console, play_all(scenarios, processes(jobs, len(scenarios))), len(scenarios)))
    played = [outcome.played for outcome in outcomes]
    seconds = time.perf_counter() - started
    failed = failures_of(played)
    for one in failed:
        show_failure(console, one)
    if junit_file is not None:
        junit_file.write_bytes(junit(played))
    if coverage is not None:
        _tell_coverage(outcomes, coverage)
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


def _watched(console: Console, outcomes: Iterator[Outcome], total: int) -> Iterator[Outcome]:
    """Show a bar in a terminal, nothing elsewhere."""
    columns = (TextColumn("testing"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=total)
        for outcome in outcomes:
            yield outcome
            progress.advance(task)


def _tell_coverage(outcomes: list[Outcome], folder: Path) -> None:
    """Print what the tests never reached, and write the page that draws it."""
    found = measure(outcomes)
    for one in found:
        for line in lines(one):
            click.echo(line)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "index.html"
    target.write_text(page(found), encoding="utf-8")
    click.echo(f"The dialogs are drawn in {target}.")
