"""The arithmetic of the figures: percentiles, medians with their spread, and ratios."""

import math
import statistics
from collections.abc import Callable, Sequence

import msgspec


class Spread(msgspec.Struct, frozen=True):
    """A figure measured several times: its median, its smallest and its largest value."""

    median: float
    least: float
    most: float


def spread(values: Sequence[float]) -> Spread:
    """Return the spread of at least one value."""
    return Spread(statistics.median(values), min(values), max(values))


def ratios(values: Sequence[float], baselines: Sequence[float]) -> Spread:
    """Return the spread of each value over the baseline of its own round."""
    return spread([value / baseline for value, baseline in zip(values, baselines, strict=True)])


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that `percent` of the values do not exceed (nearest rank). Raises ValueError without values."""
    if not values:
        raise ValueError("there is no percentile of nothing")
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


class Figure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the table. `target` is in words; `met` is None when there is none, or nothing to compare with."""

    row: str
    what: str
    unit: str
    value: Spread
    baseline: Spread | None = None
    ratio: Spread | None = None
    target: str = ""
    met: bool | None = None
    note: str = ""


def against(
    row: str,
    what: str,
    unit: str,
    values: Sequence[float],
    baselines: Sequence[float],
    target: str,
    holds: Callable[[float], bool],
    note: str = "",
) -> Figure:
    """Return a figure judged by its median ratio to the baseline of the same round."""
    ratio = ratios(values, baselines)
    return Figure(
        row=row,
        what=what,
        unit=unit,
        value=spread(values),
        baseline=spread(baselines),
        ratio=ratio,
        target=target,
        met=holds(ratio.median),
        note=note,
    )


def alone(
    row: str,
    what: str,
    unit: str,
    values: Sequence[float],
    target: str = "",
    holds: Callable[[float], bool] | None = None,
    note: str = "",
) -> Figure:
    """Return a figure judged by its own median, or not at all."""
    value = spread(values)
    met = None if holds is None else holds(value.median)
    return Figure(row=row, what=what, unit=unit, value=value, target=target, met=met, note=note)


def at_least(limit: float) -> Callable[[float], bool]:
    """Return what says whether a figure is large enough."""
    return lambda value: value >= limit


def at_most(limit: float) -> Callable[[float], bool]:
    """Return what says whether a figure is small enough."""
    return lambda value: value <= limit
