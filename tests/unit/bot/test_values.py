"""Values as text: what JavaScript's `String` would write (design section 4, "Types")."""

import struct
from typing import Any

import pytest
import quickjs
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.bot.values import number_text, text_of


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x", "x"),
        (None, ""),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (-0.0, "0"),
        (5.0, "5"),
        (0.1, "0.1"),
        (1e21, "1e+21"),
        (10**400, "Infinity"),
        (-(10**400), "-Infinity"),
        (123456789012345680000.0, "123456789012345680000"),
        (1e-7, "1e-7"),
        ([1, None, "a", True], "1,,a,true"),
        ([], ""),
        ([[1], 2], "[[1],2]"),
        ({"a": None}, '{"a":null}'),
    ],
)
def test_a_value_becomes_the_text_javascript_makes_of_it(value: Any, text: str) -> None:
    assert text_of(value) == text


def test_a_long_integer_loses_no_digit() -> None:
    assert number_text(90071992547409931) == "90071992547409931"


@settings(max_examples=500, deadline=None)
@given(st.floats() | st.integers(-(2**53), 2**53))
@example(5e-324)
@example(1.7976931348623157e308)
@example(1e-6)
@example(123456.789e-11)
def test_a_number_reads_as_javascript_writes_it(number: float) -> None:
    bits = struct.unpack("<Q", struct.pack("<d", number))[0]
    js = f"String(new DataView(new BigUint64Array([{bits}n]).buffer).getFloat64(0, true))"
    written = _js().eval(js)
    text = number_text(number)
    # The engine writes a digit too many for some powers of two; ECMAScript asks for the fewest that tell the number.
    assert text == written or (float(text) == float(written) and len(text) < len(written))


_contexts: list[Any] = []


def _js() -> Any:
    if not _contexts:
        _contexts.append(quickjs.Context())
    return _contexts[0]
