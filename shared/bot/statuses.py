"""Statuses and failures as a manifest writes them: `404`, `"2xx"`, `"timeout"`."""

import re
from collections.abc import Iterable

LOWEST, HIGHEST = 200, 999  # LivePerson Functions answer 901
_CLASS = re.compile(r"[2-9]xx", re.IGNORECASE)


def expanded(written: Iterable[int | str]) -> tuple[int | str, ...]:
    """Return every status once, a class such as `"2xx"` as its hundred statuses; other words stay as they are."""
    found: dict[int | str, None] = {}
    for one in written:
        if isinstance(one, str) and _CLASS.fullmatch(one):
            first = int(one[0]) * 100
            found |= dict.fromkeys(range(first, first + 100))
        else:
            found[one] = None
    return tuple(found)


def unknown(listed: Iterable[int | str], words: Iterable[str] = ()) -> list[int | str]:
    """Return what is neither a status that ends an exchange nor one of the words."""
    allowed = frozenset(words)
    return [one for one in listed if (one not in allowed if isinstance(one, str) else not LOWEST <= one <= HIGHEST)]
