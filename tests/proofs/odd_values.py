"""JSON values where nobody expects them, and text that is nearly JSON."""

from typing import Any

# Values of every JSON type, and some that only a text can carry (see `Written`).
VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    7,
    3.5,
    1e300,
    2**31,
    2**53 + 1,
    2**63,
    2**64,
    -(2**64),
    10**30,
    "",
    " ",
    "text",
    "0",
    "-5",
    "1e9",
    "99999999999999999999",
    [],
    [[]],
    [None],
    [1, "a", {}],
    {},
    {"a": 1},
    {"": {"": []}},
    {"id": None, "name": 7},
)


class Written(str):
    """JSON text that stands in a file as it is written here, be it JSON or not."""

    __slots__ = ()


WRITTEN = (
    Written("NaN"),
    Written("-Infinity"),
    Written("1e999"),
    Written("-1e999"),
    Written("1e-999"),
    Written("0." + "1" * 500),
    Written("9" * 400),
    Written("9" * 5000),
    Written("01"),
    Written("'a'"),
    Written("undefined"),
    Written('"\\ud800"'),
    Written('"\\udc00\\ud800"'),
    Written('"\\u0000"'),
    Written('"a\x00b"'),
    Written('"a\nb"'),
    Written('"\\x41"'),
    Written("[" * 60 + "]" * 60),
    Written("[" * 500 + "]" * 500),
    Written("[" * 900 + "]" * 900),
    Written("[" * 3000 + "]" * 3000),
    Written("[" * 100_000 + "]" * 100_000),
    Written('{"a":' * 400 + "1" + "}" * 400),
    Written('{"a":' * 30_000 + "1" + "}" * 30_000),
    Written("[" * 30_000),
    Written("[1,]"),
    Written("{,}"),
    Written("/* comment */ 1"),
    Written(""),
)
