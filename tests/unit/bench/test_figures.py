import pytest

from tests.bench.figures import Spread, against, alone, percentile, ratios, spread
from tests.bench.table import lines, number, with_spread


@pytest.mark.parametrize(
    ("percent", "expected"),
    [(50, 5), (90, 9), (99, 10), (100, 10), (0, 1), (10, 1), (11, 2)],
)
def test_a_percentile_is_the_nearest_value_that_so_many_do_not_exceed(percent: float, expected: float) -> None:
    assert percentile([10, 3, 1, 9, 2, 8, 4, 7, 5, 6], percent) == expected


def test_there_is_no_percentile_of_nothing() -> None:
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 50)


def test_a_spread_is_the_median_between_the_extremes() -> None:
    assert spread([3, 1, 2]) == Spread(2, 1, 3)
    assert spread([1, 2]) == Spread(1.5, 1, 2)


def test_each_value_is_compared_with_the_baseline_of_its_own_round() -> None:
    assert ratios([1, 1, 3], [2, 4, 4]) == Spread(0.5, 0.25, 0.75)
    with pytest.raises(ValueError, match="zip"):
        ratios([1, 2], [1])


def test_a_target_is_judged_by_the_median_of_the_ratios() -> None:
    met = against("w", "workload", "/s", [30, 20, 50], [100, 100, 100], "0.3", lambda ratio: ratio >= 0.3)
    assert met.met
    assert met.ratio == Spread(0.3, 0.2, 0.5)
    assert not against("w", "workload", "/s", [29], [100], "0.3", lambda ratio: ratio >= 0.3).met


def test_a_figure_without_a_target_is_neither_met_nor_missed() -> None:
    assert alone("w", "CPU", "s", [1.0]).met is None
    assert alone("w", "CPU", "s", [1.0, 2.0, 9.0], "at most 2", lambda seconds: seconds <= 2).met


def test_a_line_says_what_was_measured_and_whether_it_is_enough() -> None:
    figure = against("w", "workload W", "messages/s", [300, 100], [1000, 1000], "0.30", lambda ratio: ratio >= 0.3)
    (line,) = lines([figure])
    assert "workload W: 200 (100..300) messages/s; baseline 1,000; ratio 0.200 (0.100..0.300)" in line
    assert line.endswith("; target 0.30: not met")


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (0.2174, "0.217"), (1.3, "1.30"), (12.34, "12.3"), (123.4, "123"), (4500.4, "4,500"), (-0.5, "-0.500")],
)
def test_numbers_have_about_three_digits(value: float, shown: str) -> None:
    assert number(value) == shown


def test_a_single_value_has_no_range() -> None:
    assert with_spread(Spread(1, 1, 1)) == "1.00"
