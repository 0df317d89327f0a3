"""Regular expressions of authors, compiled only if that can be done in no time (R8).

The regex module writes repetitions out: `a{1000000}` becomes a million letters, and a group under forty nested `+` as
many copies as a computer has memory. So an expression is measured before it is compiled; matching has its own limit.
"""

import re
from typing import Any, NamedTuple

import regex

# What compiles in about a tenth of a second; a usual expression has some dozens.
_LARGEST = 50_000
_COUNTED = re.compile(r"\{(\d*)(?:,(\d*))?\}")
_VERBOSE = re.compile(r"\(\?[A-Za-z0-9]*x")


class BadExpression(ValueError):  # noqa: N818 what an author wrote, not a mistake of the caller
    """A regular expression cannot be compiled; the message says why."""


def compile_expression(source: str) -> Any:
    """Compile an expression; in VERSION1 nested classes and inline flags mean what they mean in Java.

    Raises BadExpression.
    """
    size = max(_measure(source, verbose=verbose) for verbose in {False, _VERBOSE.search(source) is not None})
    if size > _LARGEST:
        raise BadExpression("with its repetitions written out it is too large")
    try:
        return regex.compile(source, regex.VERSION1)
    except RecursionError as error:
        raise BadExpression("it is nested too deeply") from error
    except (regex.error, ValueError, OverflowError, MemoryError) as error:
        raise BadExpression(str(error)) from error


class _Open(NamedTuple):
    """A group whose end is not reached: what stood before it, and with which last part."""

    before: int
    last: int


def _measure(source: str, *, verbose: bool) -> int:
    """Estimate, from above, of how many parts an expression consists once its repetitions are written out."""
    groups: list[_Open] = []
    size = last = at = 0
    while at < len(source) and size <= _LARGEST:
        character = source[at]
        step = 1
        if character == "(":
            groups.append(_Open(size, last))
            size = last = 0
        elif character == ")" and groups:
            size, last = groups.pop().before + size + 1, size + 1
        elif character in "*+?{" and last:
            copies, step = _copies(source, at)
            size, last = size + copies * last, last + copies * last
        elif character.isspace() or (verbose and character == "#"):
            step = _gap(source, at) if character == "#" else 1
            size += 1  # between a part and its repetition it may have no meaning
        elif character != "|":
            step = _part(source, at)
            size, last = size + step, step
        at += step
    return size + sum(group.before for group in groups)


def _copies(source: str, at: int) -> tuple[int, int]:
    """Return how many more copies a repetition makes of what it repeats, and its length with what modifies it."""
    copies, end = 1 if source[at] == "+" else 0, at + 1
    if source[at] == "{":
        counted = _COUNTED.match(source, at)
        if counted is None:
            return 0, 1
        least = counted[1] or (counted[2] if counted[2] is None else "0") or "0"
        copies, end = int(least) if len(least) < 9 else _LARGEST, counted.end()
    if source[end : end + 1] in {"?", "+"}:
        end += 1
    return copies, end - at


def _gap(source: str, at: int) -> int:
    """Return the length of a comment."""
    end = source.find("\n", at)
    return (len(source) if end < 0 else end) - at


def _part(source: str, at: int) -> int:
    """Return the length of one part: a character, an escaped one, or a class with those inside it."""
    if source[at] != "[":
        return 2 if source[at] == "\\" else 1
    depth, here = 0, at
    while here < len(source):
        if source[here] == "\\":
            here += 1
        elif source[here] == "[":
            depth += 1
        elif source[here] == "]":
            depth -= 1
            if depth == 0:
                return here + 1 - at
        here += 1
    return 1
