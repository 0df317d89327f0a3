"""Phrases as weighted features, turned inside out: which phrases hold a feature, and how much it says there.

TF-IDF with cosine similarity. A feature counts more the fewer phrases hold it, and the fewer intents share it.
"""

import math
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

# What remains of the weight of a word that all intents use alike.
_SHARED = 0.25


class Index:
    """An index over phrases, each given as (intent, features). Immutable once made."""

    def __init__(self, phrases: Sequence[tuple[str, Iterable[str]]]) -> None:
        counted = [(intent, Counter(features)) for intent, features in phrases]
        self.size = len(counted)
        self.weights = _weights(counted)
        self.unknown = max(self.weights.values(), default=1.0)
        self._places: dict[str, array[int]] = defaultdict(lambda: array("I"))
        self._values: dict[str, array[float]] = defaultdict(lambda: array("f"))
        for place, (_, features) in enumerate(counted):
            for feature, value in self._unit(features).items():
                self._places[feature].append(place)
                self._values[feature].append(value)

    def similarities(self, asked: Sequence[tuple[float, Mapping[str, float]]]) -> list[float]:
        """Return how similar each phrase is, 0 to 1.

        `asked` are the features of a text: what each weighs, and the known features it is like, with the likeness.
        """
        length = math.sqrt(sum(weight * weight for weight, _ in asked)) or 1.0
        sums = [0.0] * self.size
        for weight, alike in asked:
            for place, value in self._held(alike):
                sums[place] += weight * value / length
        return sums

    def _held(self, alike: Mapping[str, float]) -> Iterable[tuple[int, float]]:
        """Return the phrases that hold one of these features, each with what the best of them says there."""
        if len(alike) == 1:
            [(feature, likeness)] = alike.items()
            if likeness == 1.0:
                return zip(self._places[feature], self._values[feature], strict=True)
        best: dict[int, float] = {}
        for feature, likeness in alike.items():
            for place, value in zip(self._places[feature], self._values[feature], strict=True):
                best[place] = max(best.get(place, 0.0), likeness * value)
        return best.items()

    def _unit(self, features: Counter[str]) -> dict[str, float]:
        values = {feature: repeated(count) * self.weights[feature] for feature, count in features.items()}
        length = math.sqrt(sum(value * value for value in values.values())) or 1.0
        return {feature: value / length for feature, value in values.items()}


def repeated(count: int) -> float:
    """Return how much more a feature counts that stands in a text several times."""
    return 1.0 + math.log(count)


def _weights(phrases: list[tuple[str, Counter[str]]]) -> dict[str, float]:
    intents = len({intent for intent, _ in phrases})
    holders: dict[str, Counter[str]] = defaultdict(Counter)
    for intent, features in phrases:
        for feature in features:
            holders[feature][intent] += 1
    weights: dict[str, float] = {}
    for feature, found in holders.items():
        rarity = math.log((len(phrases) + 1) / (found.total() + 0.5))
        weights[feature] = rarity * (_SHARED + (1 - _SHARED) * _focus(found, intents))
    return weights


def _focus(found: Counter[str], intents: int) -> float:
    """Return 1 for a feature of one intent, 0 for one that all intents have equally often (one less the entropy)."""
    if intents < 2:
        return 1.0
    shares = [count / found.total() for count in found.values()]
    return 1.0 + sum(share * math.log(share) for share in shares) / math.log(intents)
