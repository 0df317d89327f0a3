"""The figures of a run."""

import pytest

from services.verifier.report import percentile


@pytest.mark.parametrize(
    ("share", "value"),
    [(0.0, 1.0), (0.5, 50.0), (0.99, 99.0), (1.0, 100.0)],
)
def test_a_percentile_is_the_value_below_which_the_share_lies(share: float, value: float) -> None:
    assert percentile([float(number) for number in range(100, 0, -1)], share) == value


def test_nothing_has_no_percentile() -> None:
    assert percentile([], 0.99) == 0.0
    assert percentile([7.0], 0.01) == 7.0
