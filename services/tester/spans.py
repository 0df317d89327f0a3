"""Where two lines differ: pure, by the standard library's matcher."""

from difflib import SequenceMatcher


def spans(line: str, other: str, offset: int) -> list[tuple[int, int]]:
    """Return the parts of `line` that `other` does not have, moved by `offset`."""
    matcher = SequenceMatcher(a=line, b=other, autojunk=False)
    return [(i + offset, j + offset) for tag, i, j, _, _ in matcher.get_opcodes() if tag != "equal" and j > i]
