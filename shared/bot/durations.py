"""Durations as people write them in a manifest: `90s`, `15m`, `1h`, `1h30m`, `7d`."""

import re

_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")


def parse_duration(text: str) -> int:
    """Return milliseconds. Raises ValueError with a sentence when `text` is no duration or is zero."""
    compact = text.replace(" ", "")
    total = 0.0
    end = 0
    for part in _PART.finditer(compact):
        if part.start() != end:
            break
        total += float(part[1]) * _UNITS[part[2]]
        end = part.end()
    if end != len(compact) or total <= 0:
        raise ValueError(f"{text!r} is not a duration; write it like 90s, 15m, 1h or 1h30m")
    return int(total)
