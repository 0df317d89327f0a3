"""Figures as text: on the terminal, and as the table of docs/performance.md."""

from collections.abc import Sequence

from tests.bench.figures import Figure, Spread
from tests.bench.machine import Machine

BEGIN, END = "<!-- figures: written by make bench -->", "<!-- end of figures -->"
_MET = {True: "met", False: "not met", None: ""}


def lines(figures: Sequence[Figure]) -> list[str]:
    """Return one line of text for each figure."""
    return [_line(figure) for figure in figures]


def number(value: float) -> str:
    """Return a number with about three digits."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.{1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3}f}"


def with_spread(value: Spread) -> str:
    """Return the median, and the range when there is one."""
    if value.least == value.most:
        return number(value.median)
    return f"{number(value.median)} ({number(value.least)}..{number(value.most)})"


def _line(figure: Figure) -> str:
    parts = [f"{figure.row:12} {figure.what}: {with_spread(figure.value)} {figure.unit}".rstrip()]
    if figure.baseline is not None:
        parts.append(f"baseline {with_spread(figure.baseline)}")
    if figure.ratio is not None:
        parts.append(f"ratio {with_spread(figure.ratio)}")
    if figure.target:
        parts.append(f"target {figure.target}: {_MET[figure.met]}")
    if figure.note:
        parts.append(figure.note)
    return "; ".join(parts)


def table(machine: Machine, figures: Sequence[Figure]) -> str:
    """Return the table in Markdown, under a line that says where its figures come from."""
    where = f"{machine.cores} cores ({machine.processor}), {machine.system}, Python {machine.python}, {machine.server}"
    rows = [
        "| row | figure | Botlane | baseline | ratio | target | |",
        "|---|---|---|---|---|---|---|",
        *(_row(figure) for figure in figures),
    ]
    return f"Measured on {where}: medians, with the smallest and the largest value.\n\n" + "\n".join(rows) + "\n"


def between_marks(text: str, content: str) -> str:
    """Return a document with `content` between its marks. Raises ValueError when it does not have both, in order."""
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the document needs the lines {BEGIN} and {END}")
    return f"{head}{begin}\n{content}{end}{tail}"


def _row(figure: Figure) -> str:
    what = f"{figure.what} ({figure.note})" if figure.note else figure.what
    value = f"{with_spread(figure.value)} {figure.unit}".strip()
    baseline = with_spread(figure.baseline) if figure.baseline is not None else ""
    ratio = with_spread(figure.ratio) if figure.ratio is not None else ""
    cells = [f"`{figure.row}`", what, value, baseline, ratio, figure.target, _MET[figure.met]]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
