"""Entities: the words, and the patterns, that stand for a value (`small~10`; CB: reference/scripting.md 1.6).

Words are compared folded and whole, the longest first; patterns are searched in the text as it is, each for 50 ms.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from shared.bot.expressions import compile_expression
from shared.bot.understanding import EntityPart
from shared.dialog.events import Entity
from shared.understanding.words import Word, words

_PATTERN_SECONDS = 0.05
_LONGEST_TEXT = 2_000


class Found(msgspec.Struct, frozen=True):
    """An entity, and where in the text it stands."""

    start: int
    end: int
    entity: Entity


class Entities:
    """The entities of one bot version."""

    def __init__(self, parts: Mapping[str, EntityPart]) -> None:
        self._words = {name: dict(_spelled(part)) for name, part in parts.items()}
        self._longest = {name: max(map(len, values), default=0) for name, values in self._words.items()}
        self._patterns = [
            (name, compile_expression(pattern)) for name, part in parts.items() for pattern in part.patterns
        ]
        self._references = {f"@{name.strip().casefold()}" for name in parts}

    def find(self, text: str) -> list[Found]:
        """Return what is found in a text, in its order; those of different entities may overlap."""
        text = text[:_LONGEST_TEXT]
        spoken = words(text)
        found = [one for name in self._words for one in self._by_words(name, text, spoken)]
        for name, pattern in self._patterns:
            found += _by_pattern(name, pattern, text)
        unique = {(one.start, -one.end, one.entity.name): one for one in reversed(found)}
        return [unique[place] for place in sorted(unique)]

    def in_phrase(self, phrase: str) -> list[str]:
        """Return the words of an author's phrase; `@NAME` stays one word if there is such an entity."""
        spoken = [word.folded for word in words(phrase)]
        return [word if word in self._references else word.removeprefix("@") for word in spoken]

    def _by_words(self, name: str, text: str, spoken: Sequence[Word]) -> Iterator[Found]:
        at = 0
        while at < len(spoken):
            for size in range(min(self._longest[name], len(spoken) - at), 0, -1):
                value = self._words[name].get(tuple(word.folded for word in spoken[at : at + size]))
                if value is not None:
                    start, end = spoken[at].start, spoken[at + size - 1].end
                    yield Found(start, end, Entity(name, text[start:end], value))
                    at += size - 1
                    break
            at += 1


def with_references(text: str, found: Sequence[Found], wanted: frozenset[str]) -> list[str]:
    """Return the words of a text, those of an entity in `wanted` (`@name`) replaced by it; the first found wins."""
    spoken: list[str] = []
    end = 0
    standing = [one for one in found if f"@{one.entity.name.casefold()}" in wanted]
    for word in words(text):
        inside = next((one for one in standing if one.start <= word.start < one.end), None)
        if inside is None:
            spoken.append(word.folded.removeprefix("@"))
        elif inside.start >= end:
            spoken.append(f"@{inside.entity.name.casefold()}")
            end = inside.end
    return spoken


def _spelled(part: EntityPart) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the words of each value, and the value; the first of equal words wins."""
    for written in reversed(part.values):
        spelled, separator, value = written.partition("~")
        yield tuple(word.folded for word in words(spelled)), (value if separator else spelled).strip()


def _by_pattern(name: str, pattern: Any, text: str) -> list[Found]:
    try:
        matches = list(pattern.finditer(text, timeout=_PATTERN_SECONDS))
    except TimeoutError:
        return []
    spoken = [(match, (match[1] if pattern.groups else None) or match[0]) for match in matches if match[0]]
    return [Found(match.start(), match.end(), Entity(name, match[0], value)) for match, value in spoken]
