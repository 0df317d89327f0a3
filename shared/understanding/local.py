"""The understander that needs nobody: phrases and entities of the manifest, compiled once per bot version.

Scores are likenesses bent so that CB's bands (`shared.dialog.events.Intent`) mean something here: from good, 0.7, on an
intent is more often meant than not. Where the bends are, and how they were found: docs/intents.md.
"""

from bisect import bisect_right
from itertools import pairwise

from shared.bot.model import Bot
from shared.bot.understanding import Understanding
from shared.dialog.events import Intent, Understood
from shared.understanding.entities import Entities, with_references
from shared.understanding.phrases import Likeness

MOST_INTENTS = 10
# (likeness, score): the average over an intent's best phrases, and the likeness of its very best one.
_AVERAGE = ((0.0, 0.0), (0.17, 0.5), (0.25, 0.7), (0.40, 0.9), (1.0, 0.99))
_SINGLE = ((0.0, 0.0), (0.50, 0.5), (0.70, 0.7), (0.90, 0.9), (1.0, 0.99))

Curve = tuple[tuple[float, float], ...]


class LocalUnderstander:
    """Understands texts by the phrases and entities of one bot version."""

    def __init__(self, understanding: Understanding) -> None:
        self._entities = Entities(understanding.entities)
        phrases = [
            (name, self._entities.in_phrase(phrase))
            for name, intent in understanding.intents.items()
            for phrase in intent.phrases
        ]
        self._likeness = Likeness(phrases)
        self._same: dict[tuple[str, ...], list[str]] = {}
        for name, phrase in phrases:
            self._same.setdefault(tuple(phrase), []).append(name)
        self._references = frozenset(word for _, phrase in phrases for word in phrase if word.startswith("@"))

    def understand(self, text: str) -> Understood:
        """Return the intents of a text, best first, and the entities in it."""
        entities = self._entities.find(text)
        spoken = with_references(text, entities, self._references)
        return Understood(self._intents(spoken), [found.entity for found in entities])

    def _intents(self, spoken: list[str]) -> list[Intent]:
        if not spoken:
            return []
        same = self._same.get(tuple(spoken), [])
        scores = {
            name: 1.0 if name in same else max(_on(_AVERAGE, average), _on(_SINGLE, single))
            for name, (average, single) in self._likeness.of(spoken).items()
        }
        best = sorted(scores, key=lambda name: -scores[name])[:MOST_INTENTS]
        return [Intent(name, round(scores[name], 4)) for name in best if scores[name] > 0]


def understander_of(bot: Bot) -> LocalUnderstander | None:
    """Compile what a bot's texts are understood by; None when an endpoint is asked, or nothing is understood."""
    return LocalUnderstander(bot.understanding) if bot.understanding.local else None


def _on(curve: Curve, likeness: float) -> float:
    """Read a curve of straight pieces."""
    at = min(bisect_right(curve, likeness, key=lambda point: point[0]), len(curve) - 1)
    (x0, y0), (x1, y1) = list(pairwise(curve))[at - 1]
    return y0 + (y1 - y0) * (likeness - x0) / (x1 - x0)
