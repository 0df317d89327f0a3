"""A text as the words that are compared: without case, accents, apostrophes and punctuation."""

import unicodedata

import msgspec
import regex

MOST_WORDS = 100
_APOSTROPHES = "'\u2019\u02bc"
_WORD = regex.compile(rf"@?[\p{{L}}\p{{M}}\p{{N}}]+(?:[{_APOSTROPHES}][\p{{L}}\p{{M}}\p{{N}}]+)*")
_DROPPED = regex.compile(rf"[\u0300-\u036f{_APOSTROPHES}]")


class Word(msgspec.Struct, frozen=True):
    """A word of a text, folded, and where it stands."""

    folded: str
    start: int
    end: int


def words(text: str) -> list[Word]:
    """Return the first hundred words of a text. `@size` is one, since phrases name entities so."""
    found = zip(_WORD.finditer(text), range(MOST_WORDS), strict=False)
    return [Word(folded(word[0]), word.start(), word.end()) for word, _ in found]


def folded(text: str) -> str:
    """Return a text without case, accents and apostrophes."""
    return _DROPPED.sub("", unicodedata.normalize("NFKD", text.casefold()))


def grams(word: str) -> list[str]:
    """Return the pieces of two to four characters of a word, its ends marked by blanks."""
    padded = f" {word} "
    return [padded[at : at + size] for size in (2, 3, 4) for at in range(len(padded) - size + 1)]
