import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.bench.chart import chart
from tests.bench.figures import Figure, against, alone, at_least
from tests.bench.machine import Machine
from tests.bench.rows import ROWS
from tests.bench.table import BEGIN, END, between_marks, table

MACHINE = Machine(2, "A processor", "Linux x86_64", "3.11.7", "Valkey 9.1.2")
ROOT = Path(__file__).parents[3]
SVG = "{http://www.w3.org/2000/svg}"


def figures() -> list[Figure]:
    return [
        against("w", "messages <one> gateway", "messages/s", [300, 100], [1000, 1000], "0.30", at_least(0.3)),
        alone("idle", "CPU", "%", [0.5], "under 1 %", at_least(0), "a | b"),
        alone("memory", "resident", "MB", [60]),
    ]


def widths(svg: str, kind: str) -> list[float]:
    bars = [bar for bar in ET.fromstring(svg).iter(f"{SVG}rect") if bar.get("class") == kind]
    return [float(bar.attrib["width"]) for bar in bars[1:]]  # the first belongs to the key


def test_the_chart_is_svg_with_a_pair_of_bars_for_each_figure_that_has_a_baseline() -> None:
    svg = chart(figures())
    assert [round(width) for width in widths(svg, "ours")] == [96]
    assert [round(width) for width in widths(svg, "baseline")] == [480]
    texts = [text for node in ET.fromstring(svg).iter() for text in node.itertext()]
    assert "messages <one> gateway" in texts


def test_the_chart_can_be_read_in_light_and_dark_and_says_what_it_is() -> None:
    svg = chart(figures())
    assert "prefers-color-scheme: dark" in svg
    assert "<script" not in svg
    root = ET.fromstring(svg)
    assert root.get("role") == "img"
    assert root.get("aria-label")


def test_a_chart_of_nothing_and_of_zeros_is_still_svg() -> None:
    ET.fromstring(chart([]))
    assert widths(chart([against("w", "none", "", [0], [1], "", at_least(0))]), "ours") == [1.0]


def test_the_table_names_the_machine_and_has_a_row_for_each_figure() -> None:
    lines = table(MACHINE, figures()).splitlines()
    assert "2 cores (A processor), Linux x86_64, Python 3.11.7, Valkey 9.1.2" in lines[0]
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines[2:]]
    assert {len(row) for row in rows} == {7}
    assert [cell.strip() for cell in rows[2]] == [
        "`w`",
        "messages <one> gateway",
        "200 (100..300) messages/s",
        "1,000",
        "0.200 (0.100..0.300)",
        "0.30",
        "not met",
    ]
    assert [row[-1].strip() for row in rows[3:]] == ["met", ""]


def test_only_what_stands_between_the_marks_is_replaced() -> None:
    page = f"# Page\n\n{BEGIN}\nold\n{END}\n\nrest\n"
    written = between_marks(page, "new\n")
    assert written == f"# Page\n\n{BEGIN}\nnew\n{END}\n\nrest\n"
    assert between_marks(written, "new\n") == written


@pytest.mark.parametrize("page", ["", BEGIN, END, f"{END} {BEGIN}"])
def test_a_document_without_both_marks_is_left_alone(page: str) -> None:
    with pytest.raises(ValueError, match="needs the lines"):
        between_marks(page, "new\n")


def test_the_page_says_of_every_row_what_it_is() -> None:
    page = (ROOT / "docs/performance.md").read_text()
    described = page.partition("## What the rows are")[2]
    assert [row for row in ROWS if f"`{row}`" not in described] == []
    assert between_marks(page, "")
