"""The candidates. Each imports its library when it is fitted, so that any of them can be measured without the others."""

import importlib
import tempfile
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import regex

from tests.bench.intents.figures import Fit, Phrases, Scores


def local(phrases: Phrases) -> Callable[[str], Scores]:
    """Score as Botlane does: RapidFuzz for words, TF-IDF of words and pieces of words."""
    bot = importlib.import_module("shared.bot.understanding")
    understander = importlib.import_module("shared.understanding.local").LocalUnderstander(
        bot.Understanding({name: bot.IntentPart(tuple(texts)) for name, texts in phrases.items()})
    )
    return lambda text: {intent.name: intent.score for intent in understander.understand(text).intents}


def fuzzy(phrases: Phrases, ratio: str) -> Callable[[str], Scores]:
    """Score by the most similar phrase in RapidFuzz's eyes."""
    scorer = getattr(importlib.import_module("rapidfuzz.fuzz"), ratio)
    known = {name: [_plain(text) for text in texts] for name, texts in phrases.items()}
    return lambda text: {name: max(scorer(_plain(text), one) for one in texts) / 100 for name, texts in known.items()}


def linear(phrases: Phrases, *, words: bool, probability: bool) -> Callable[[str], Scores]:
    """Score by scikit-learn: TF-IDF of pieces of words (and words), then a linear model."""
    pairs = [(name, _plain(text)) for name, texts in phrases.items() for text in texts]
    vectors = importlib.import_module("sklearn.feature_extraction.text").TfidfVectorizer
    parts = [vectors(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True)]
    if words:
        parts.append(vectors(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\w+"))
    union = importlib.import_module("sklearn.pipeline").make_union(*parts)
    matrix = union.fit_transform([text for _, text in pairs])
    model: Any
    if probability:
        model = importlib.import_module("sklearn.linear_model").LogisticRegression(C=10, max_iter=1000)
    else:
        model = importlib.import_module("sklearn.svm").LinearSVC()
    model.fit(matrix, [name for name, _ in pairs])
    decide = model.predict_proba if probability else model.decision_function

    def score(text: str) -> Scores:
        decided = decide(union.transform([_plain(text)]))[0]
        return {name: float(value) for name, value in zip(model.classes_, decided, strict=True)}

    return score


def fast_text(phrases: Phrases) -> Callable[[str], Scores]:
    """Score by fastText, trained on the phrases alone (one thread: otherwise no two trainings are alike)."""
    library = importlib.import_module("fasttext")
    labels = {f"__label__{number}": name for number, name in enumerate(phrases)}
    lines = [f"{label} {_plain(text)}\n" for label, name in labels.items() for text in phrases[name]]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "phrases.txt")
        file.write_text("".join(lines))
        settings = {"epoch": 200, "lr": 0.5, "minn": 2, "maxn": 5, "wordNgrams": 2, "dim": 50, "bucket": 50_000}
        model = library.train_supervised(str(file), thread=1, verbose=0, **settings)

    def score(text: str) -> Scores:
        # Its own `predict` breaks with NumPy 2; this is what it calls.
        return {labels[label]: float(p) for p, label in model.f.predict(f"{_plain(text)}\n", 20, 0.0, "strict")}

    return score


# name: (what has to be installed, how it is fitted)
CANDIDATES: dict[str, tuple[str, Fit]] = {
    "local": ("rapidfuzz", local),
    "rapidfuzz token_set_ratio": ("rapidfuzz", lambda phrases: fuzzy(phrases, "token_set_ratio")),
    "rapidfuzz ratio": ("rapidfuzz", lambda phrases: fuzzy(phrases, "ratio")),
    "rapidfuzz WRatio": ("rapidfuzz", lambda phrases: fuzzy(phrases, "WRatio")),
    "scikit-learn chars, SVC": ("scikit-learn", lambda phrases: linear(phrases, words=False, probability=False)),
    "scikit-learn both, SVC": ("scikit-learn", lambda phrases: linear(phrases, words=True, probability=False)),
    "scikit-learn both, LR": ("scikit-learn", lambda phrases: linear(phrases, words=True, probability=True)),
    "fastText": ("fasttext-wheel", fast_text),
}


def _plain(text: str) -> str:
    """Return the words of a text without case, accents and apostrophes: the same for every candidate."""
    folded = unicodedata.normalize("NFKD", text.casefold().replace("'", ""))
    return " ".join(regex.findall(r"[\p{L}\p{N}]+", folded))
