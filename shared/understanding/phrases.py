"""Which intent a text may have, by its likeness to the phrases of each.

Two views are averaged: whole words, where RapidFuzz finds the known word behind a misspelt or inflected one, and
pieces of words, which meet where words are compounded or unlike. An intent is as like as its three best phrases are on
average: one phrase may resemble a text by chance, three seldom do.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from heapq import nlargest

from rapidfuzz import process
from rapidfuzz.distance import JaroWinkler

from shared.understanding.index import Index, repeated
from shared.understanding.words import grams

_BEST = 3
# Words are taken for one another when they are this alike (Jaro-Winkler) and long enough to tell.
_ALIKE, _LONG, _MOST_ALIKE = 0.87, 4, 6
# What a word is worth that is not quite the known one, and one of a letter or two that nobody knows.
_NOT_QUITE, _SHORT_UNKNOWN = 0.95, 0.4


class Likeness:
    """The phrases of all intents, each as a list of words."""

    def __init__(self, phrases: Sequence[tuple[str, Sequence[str]]]) -> None:
        self._intents = [intent for intent, _ in phrases]
        self._words = Index(phrases)
        self._grams = Index([(intent, _pieces(words)) for intent, words in phrases])
        self._vocabulary = [word for word in self._words.weights if len(word) >= _LONG and word[0] != "@"]
        self._alike = lru_cache(maxsize=4096)(self._find_alike)

    def of(self, words: Sequence[str]) -> dict[str, tuple[float, float]]:
        """Return for each intent how like its best phrases are on average, and how like the very best one is."""
        by_words = self._words.similarities([self._asked(word) for word in dict.fromkeys(words)])
        weights = self._grams.weights
        by_grams = self._grams.similarities(
            [
                (repeated(count) * weights.get(gram, self._grams.unknown), {gram: 1.0} if gram in weights else {})
                for gram, count in Counter(_pieces(words)).items()
            ]
        )
        likenesses: dict[str, list[float]] = {}
        for intent, one, other in zip(self._intents, by_words, by_grams, strict=True):
            likenesses.setdefault(intent, []).append((one + other) / 2)
        return {intent: _best(found) for intent, found in likenesses.items()}

    def _asked(self, word: str) -> tuple[float, Mapping[str, float]]:
        """Return what a word of a text weighs, and the known words it stands for."""
        alike = self._alike(word)
        if not alike:
            return self._words.unknown * (1.0 if len(word) > 2 else _SHORT_UNKNOWN), alike
        nearest = max(alike, key=lambda known: alike[known])
        return self._words.weights[nearest] * (1.0 if alike[nearest] == 1.0 else 0.9), alike

    def _find_alike(self, word: str) -> Mapping[str, float]:
        alike: dict[str, float] = {}
        if len(word) >= _LONG:
            found = process.extract(
                word,
                self._vocabulary,
                scorer=JaroWinkler.normalized_similarity,
                score_cutoff=_ALIKE,
                limit=_MOST_ALIKE,
            )
            alike = {known: likeness * _NOT_QUITE for known, likeness, _ in found}
        if word in self._words.weights:
            alike[word] = 1.0
        return alike


def _pieces(words: Sequence[str]) -> list[str]:
    return [gram for word in words for gram in grams(word)]


def _best(found: list[float]) -> tuple[float, float]:
    """Average the best three; of few phrases, fewer: of four the best two, of three the best one."""
    best = nlargest(min(_BEST, 1 + len(found) // 4), found)
    return sum(best) / len(best), best[0]
