"""`python -m tests.bench [ROW …] [--quick] [--json FILE]`: measure Botlane on this machine, with baselines beside it."""

import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec
import uvloop

from tests.bench.bench import Bench
from tests.bench.chart import chart
from tests.bench.figures import Figure
from tests.bench.machine import Machine, this_machine
from tests.bench.rows import ROWS
from tests.bench.table import between_marks, lines, table

ROOT = Path(__file__).parents[2]


class Report(msgspec.Struct, frozen=True):
    """What `--json` writes."""

    machine: Machine
    figures: list[Figure]


@click.command()
@click.argument("rows", nargs=-1, type=click.Choice(list(ROWS)), metavar="[ROW]...")
@click.option("--quick", is_flag=True, help="One round of the shortest form, for comparing while one works.")
@click.option("--long", is_flag=True, help="The long form of rows that have one (memory over 100,000 turns).")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write the figures to this file too.")
@click.option("--document", type=click.Path(path_type=Path), help="Write table and chart (beside it, as SVG) there.")
def main(rows: Sequence[str], *, quick: bool, long: bool, json_file: Path | None, document: Path | None) -> None:
    """Measure the named rows, by default all of them."""
    machine = this_machine()
    click.echo(f"{machine.cores} cores, {machine.processor}, Python {machine.python}, {machine.server}")
    with tempfile.TemporaryDirectory(prefix="bl-") as folder:
        figures = uvloop.run(_measure(rows or list(ROWS), Bench(Path(folder), quick=quick, long=long, corpus=corpus())))
    if json_file is not None:
        json_file.write_bytes(msgspec.json.format(msgspec.json.encode(Report(machine, figures))) + b"\n")
    if document is not None:
        document.write_text(between_marks(document.read_text(), table(machine, figures)))
        document.with_suffix(".svg").write_text(chart(figures))


async def _measure(rows: Sequence[str], bench: Bench) -> list[Figure]:
    figures: list[Figure] = []
    async with bench:
        for row in rows:
            began = time.perf_counter()
            found = await ROWS[row](bench)
            click.echo(f"{row}: measured in {time.perf_counter() - began:.0f} s", err=True)
            for line in lines(found):
                click.echo(line)
            figures += found
    return figures


def corpus() -> Path | None:
    """Return the folder of real exports, if there is one."""
    folder = Path(os.environ.get("BOTLANE_CORPUS", ROOT / "../shared/corpus/bots"))  # noqa: TID251 (only tests ask)
    return folder if folder.is_dir() else None


if __name__ == "__main__":
    main()
