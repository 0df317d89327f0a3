"""Every row of `make bench` can be measured, in its shortest form; what it measures is judged by nobody here."""

from pathlib import Path

import pytest

from tests.bench.bench import Bench
from tests.bench.rows import ROWS
from tests.bench.table import lines
from tests.proofs.form import LONG

pytestmark = [pytest.mark.proof, pytest.mark.timeout(300)]

SHORT = ("trips", "bursts", "calls", "accept", "turns")


@pytest.mark.parametrize("row", list(ROWS) if LONG else SHORT)
async def test_a_row_gives_figures_and_no_answer_is_lost_doubled_or_out_of_order(row: str, tmp_path: Path) -> None:
    async with Bench(tmp_path, quick=True) as bench:
        figures = await ROWS[row](bench)
    assert {figure.row for figure in figures} == {row}
    assert len(lines(figures)) == len(figures) > 0
    assert [figure.note for figure in figures if "violations" in figure.what and figure.value.most] == []
