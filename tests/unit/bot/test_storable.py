"""JSON values of strangers become values that sessions, frames and scripts can carry."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.bot.storable import LEVELS, read_json, storable

_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=200, deadline=None)
@given(_values)
def test_whatever_json_holds_can_be_carried_and_stays_what_it_is(value: Any) -> None:
    carried = storable(value)
    assert carried == pytest.approx(value) if isinstance(value, int | float) else True
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(carried)) == carried
    assert storable(carried) == carried


@pytest.mark.parametrize(
    ("text", "value"),
    [("[18446744073709551616]", [2.0**64]), ("-9223372036854775808", -(2**63)), ('{"a":[true]}', {"a": [True]})],
)
def test_long_numbers_are_those_of_javascript(text: str, value: Any) -> None:
    assert read_json(text) == value
    assert repr(read_json(text)) == repr(value)


def test_a_number_beyond_all_numbers_is_null() -> None:
    assert storable([10**309]) == [None]


@pytest.mark.parametrize("text", ["", "{", "[" * 65 + "]" * 65, "[" * 100_000, '"\\ud800"', "\ud800"])
def test_what_cannot_be_carried_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_json(text)


def test_as_many_levels_as_a_script_may_make_are_carried() -> None:
    nested = "[" * LEVELS + "]" * LEVELS
    assert read_json(nested) == json.loads(nested)
