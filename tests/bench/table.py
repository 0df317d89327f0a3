"""Figures as text: on the terminal, and as the table of docs/performance.md."""

from collections.abc import Sequence

from tests.bench.figures import Figure, Spread

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
