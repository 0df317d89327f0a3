"""Patterns: how authors say what a consumer may write (CB: reference/dialogs.md 3.1).

    pattern     = { literal | "*" | "(" pattern { "|" pattern } ")" }

A pattern matches the whole text, whatever the case and the white space around it; `*` stands for anything, nothing
included; an alternative may be empty; everything else, blanks and punctuation too, is literal. Brackets that do not
pair, or stand in more than 50 others, are literal as well.

Matching walks the pattern once with the set of places in the text it may have reached, one bit for each, so its cost
is bounded by (parts of the pattern) times (length of the text), most of it done by the machine's own wide arithmetic:
no text can stall it, which no translation to a backtracking regular expression could promise.
"""

import msgspec

_DEEPEST = 50


class _Text:
    """What is matched: the text, and where each literal of the pattern stands in it, found when it is asked for."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.all = (1 << (len(text) + 1)) - 1
        self._found: dict[str, int] = {}

    def places(self, literal: str) -> int:
        """Return the places where a literal begins, one bit for each."""
        found = self._found.get(literal)
        if found is None:
            bits = bytearray(len(self.text) // 8 + 1)
            at = self.text.find(literal)
            while at >= 0:
                bits[at >> 3] |= 1 << (at & 7)
                at = self.text.find(literal, at + 1)
            found = self._found[literal] = int.from_bytes(bits, "little")
        return found


class _Literal(msgspec.Struct, frozen=True):
    text: str

    def ends(self, text: _Text, starts: int) -> int:
        size = len(self.text)
        if starts & (starts - 1) == 0:  # one place only, as at the start of every pattern
            return starts << size if text.text.startswith(self.text, starts.bit_length() - 1) else 0
        return (starts & text.places(self.text)) << size


class _Anything(msgspec.Struct, frozen=True):
    def ends(self, text: _Text, starts: int) -> int:
        return text.all & -(starts & -starts)


class _OneOf(msgspec.Struct, frozen=True):
    alternatives: tuple["_Sequence", ...]

    def ends(self, text: _Text, starts: int) -> int:
        reached = 0
        for alternative in self.alternatives:
            reached |= alternative.ends(text, starts)
        return reached


class _Sequence(msgspec.Struct, frozen=True):
    parts: tuple[_Literal | _Anything | _OneOf, ...]

    def ends(self, text: _Text, starts: int) -> int:
        for part in self.parts:
            if not starts:
                break
            starts = part.ends(text, starts)
        return starts


class Pattern(msgspec.Struct, frozen=True):
    """One compiled pattern. `source` is as the author wrote it."""

    source: str
    sequence: _Sequence

    def matches(self, text: str) -> bool:
        """Tell whether the whole of `text` is what the author meant."""
        folded = _Text(text.strip().casefold())
        return bool(self.sequence.ends(folded, 1) >> len(folded.text) & 1)


def compile_pattern(source: str) -> Pattern:
    """Compile a pattern; every text is one."""
    folded = source.strip().casefold()
    return Pattern(source, _sequence(folded, _pairs(folded), 0, len(folded)))


def _pairs(source: str) -> dict[int, int]:
    """Map each opening bracket that has a partner to it."""
    pairs: dict[int, int] = {}
    open_brackets: list[int] = []
    for at, character in enumerate(source):
        if character == "(":
            open_brackets.append(at)
        elif character == ")" and open_brackets:
            partner = open_brackets.pop()
            if len(open_brackets) < _DEEPEST:
                pairs[partner] = at
    return pairs


def _sequence(source: str, pairs: dict[int, int], start: int, end: int) -> _Sequence:
    parts: list[_Literal | _Anything | _OneOf] = []
    literal = ""
    at = start
    while at < end:
        character = source[at]
        if character != "*" and at not in pairs:
            literal += character
            at += 1
            continue
        if literal:
            parts.append(_Literal(literal))
            literal = ""
        if character == "*":
            if not (parts and isinstance(parts[-1], _Anything)):
                parts.append(_Anything())
            at += 1
        else:
            parts.append(_OneOf(_alternatives(source, pairs, at + 1, pairs[at])))
            at = pairs[at] + 1
    if literal:
        parts.append(_Literal(literal))
    return _Sequence(tuple(parts))


def _alternatives(source: str, pairs: dict[int, int], start: int, end: int) -> tuple[_Sequence, ...]:
    """Split at the bars that stand in no inner bracket."""
    found: list[_Sequence] = []
    begin = at = start
    while at < end:
        if at in pairs:
            at = pairs[at]
        elif source[at] == "|":
            found.append(_sequence(source, pairs, begin, at))
            begin = at + 1
        at += 1
    found.append(_sequence(source, pairs, begin, end))
    return tuple(found)
