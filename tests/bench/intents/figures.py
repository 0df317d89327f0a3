"""What is measured of anything that scores intents: how often it is right, and how often it takes what nobody meant."""

import tomllib
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
# Where `good` lies for a candidate that has no bands: one in six texts of an intent it has no phrases for reaches it.
ONE_IN = 6

Phrases = Mapping[str, list[str]]
Scores = dict[str, float]
Fit = Callable[[Phrases], Callable[[str], Scores]]


def phrases() -> Phrases:
    """Return what the author wrote."""
    tables = tomllib.loads((HERE / "phrases.toml").read_text())["intents"]
    return {name: part["phrases"] for name, part in tables.items()}


def held_out() -> Phrases:
    """Return what consumers wrote."""
    found: Phrases = tomllib.loads((HERE / "held_out.toml").read_text())["held_out"]
    return found


def out_of_scope() -> list[str]:
    """Return what no intent is meant by."""
    return (HERE / "out_of_scope.txt").read_text().splitlines()


class Figures(NamedTuple):
    """`right` and `wrong` of the held-out paraphrases, and `false` of the sentences out of scope, are taken as good."""

    f1: float
    f1_good: float
    right: int
    wrong: int
    false: int


def figures(score: Callable[[str], Scores], good: float) -> Figures:
    """Measure on the held-out paraphrases and the sentences out of scope."""
    said = [(intent, *_best(score(text))) for intent, texts in held_out().items() for text in texts]
    others = [_best(score(text)) for text in out_of_scope()]
    taken = [(meant, best if likely >= good else "") for meant, best, likely in said]
    return Figures(
        f1=macro_f1([(meant, best) for meant, best, _ in said]),
        f1_good=macro_f1(taken),
        right=sum(meant == best for meant, best in taken),
        wrong=sum(best not in {meant, ""} for meant, best in taken),
        false=sum(likely >= good for _, likely in others),
    )


def good_by_phrases(fit: Fit) -> float:
    """Find `good` with the phrases alone: every intent in turn is unknown, and its phrases are asked for."""
    all_phrases = phrases()
    strange: list[float] = []
    for unknown, texts in all_phrases.items():
        score = fit({name: known for name, known in all_phrases.items() if name != unknown})
        strange += [_best(score(text))[1] for text in texts]
    return sorted(strange, reverse=True)[len(strange) // ONE_IN]


def macro_f1(pairs: list[tuple[str, str]]) -> float:
    """Average the F1 of all intents, each counting alike; an empty second text is no intent."""
    hits = Counter(meant for meant, best in pairs if meant == best)
    meant = Counter(meant for meant, _ in pairs)
    taken = Counter(best for _, best in pairs)
    return sum(2 * hits[name] / (meant[name] + taken[name]) for name in meant) / len(meant)


def _best(scores: Scores) -> tuple[str, float]:
    return max(scores.items(), key=lambda item: item[1], default=("", 0.0))
