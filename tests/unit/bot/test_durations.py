"""Durations as people write them."""

import pytest

from shared.bot.durations import parse_duration


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("90s", 90_000),
        ("15m", 900_000),
        ("1h", 3_600_000),
        ("1h30m", 5_400_000),
        ("1h 30m", 5_400_000),
        ("7d", 604_800_000),
        ("500ms", 500),
        ("0.5h", 1_800_000),
    ],
)
def test_a_duration_is_read_as_milliseconds(text: str, milliseconds: int) -> None:
    assert parse_duration(text) == milliseconds


@pytest.mark.parametrize("text", ["", "1", "h", "1x", "-1h", "1h!", "0s", "soon", "1h 30"])
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="write it like 90s, 15m"):
        parse_duration(text)
