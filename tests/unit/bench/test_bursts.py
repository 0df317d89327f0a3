import pytest

from tests.bench.bursts import Verdict, verdict


@pytest.mark.parametrize(
    ("accepted", "replied", "expected"),
    [
        ("abc", "abc", Verdict()),
        ("abc", "ab", Verdict(lost=1)),
        ("abc", "abcc", Verdict(doubled=1)),
        ("abc", "aabbcc", Verdict(doubled=3)),
        ("abc", "acb", Verdict(out_of_order=2)),
        ("abc", "", Verdict(lost=3)),
        ("abcd", "dbc", Verdict(lost=1, out_of_order=3)),
        ("abc", "abca", Verdict(doubled=1)),
    ],
)
def test_replies_are_compared_with_what_was_accepted(accepted: str, replied: str, expected: Verdict) -> None:
    assert verdict(accepted, replied) == expected


def test_all_violations_count() -> None:
    assert Verdict(1, 2, 3).violations == 6
