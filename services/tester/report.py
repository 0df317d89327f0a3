"""Says on a terminal, or in a log, what became of the tests."""

from collections import Counter
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from services.tester.playing import Failure, Played
from services.tester.spans import spans

_LINES = 40
_WARNINGS = 8


def failures_of(played: list[Played]) -> list[Played]:
    """Return what failed, in the order of the files."""
    return sorted((one for one in played if one.failure is not None), key=lambda one: one.place)


def show_failure(console: Console, played: Played) -> None:
    """Print one failed scenario: its name, the place, and what was expected beside what was heard."""
    failure = played.failure
    if failure is None:
        return
    console.print(Text(f"✗ {played.name}", style="bold red"))
    console.print(Text(f"  {_short(failure.place.file)}:{failure.place.line}", style="cyan"), end="")
    console.print(Text(f": {failure.sentence}"))
    if failure.expected or failure.heard:
        console.print(_comparison(failure))
    for warning in failure.warnings[:_WARNINGS]:
        console.print(Text(f"  trace: {warning}", style="yellow"))
    console.print()


def _comparison(failure: Failure) -> RenderableType:
    expected, heard = failure.expected.splitlines()[:_LINES], failure.heard.splitlines()[:_LINES]
    table = Table(box=None, padding=(0, 2), show_edge=False)
    table.add_column("  expected", ratio=1, overflow="fold")
    table.add_column("heard", ratio=1, overflow="fold")
    for at in range(max(len(expected), len(heard))):
        left = expected[at] if at < len(expected) else ""
        right = heard[at] if at < len(heard) else ""
        table.add_row(
            _marked("  " + left, "green", spans(left, right, 2)), _marked(right, "red", spans(right, left, 0))
        )
    return Group(table)


def _marked(line: str, colour: str, differing: list[tuple[int, int]]) -> Text:
    text = Text(line)
    for start, end in differing:
        text.stylize(f"bold {colour}", start, end)
    return text


def show_skipped(console: Console, played: list[Played]) -> None:
    """Print how many tests were skipped, by reason."""
    reasons = Counter(one.skipped for one in played if one.skipped)
    for reason, count in reasons.most_common():
        console.print(Text(f"skipped {count}: {reason}", style="yellow"))


def summary(played: list[Played], seconds: float) -> str:
    """Return the last line: how many tests, what became of them, how many steps a second."""
    failed = sum(one.failure is not None for one in played)
    skipped = sum(bool(one.skipped) for one in played)
    steps = sum(one.steps for one in played)
    parts = [f"{len(played) - failed - skipped} passed"]
    parts += [f"{failed} failed"] if failed else []
    parts += [f"{skipped} skipped"] if skipped else []
    rate = round(steps / seconds) if seconds else 0
    return f"{', '.join(parts)}: {steps} steps in {seconds:.2f} s, {rate} steps a second."


def _short(file: str) -> str:
    """Return a path as seen from here, if that is shorter."""
    path, here = Path(file), Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else file
