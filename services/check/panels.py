"""The scripts of a bot, each with its place in the author's words and the names its words use."""

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from services.check.javascript import KEYWORDS, Word, words
from shared.bot.model import Bot, Interaction

GLOBAL_FUNCTIONS = "Global Functions"
INTEGRATIONS = "Integrations"
_PANELS = (
    ("pre", "Pre-Process Code"),
    ("post", "Post-Process Code"),
    ("response", "Process User Response"),
)
_LONGEST_ARGUMENT = 200
_BINDS = frozenset({"function", "var", "let", "const", "class"})


class Use(NamedTuple):
    """A use of a member of `botContext`: `texts` are the literal texts in its first argument.

    `literal` is the first argument when it is one text and nothing else, None when a script puts it together.
    """

    name: str
    called: bool
    literal: str | None
    texts: tuple[str, ...]
    at: tuple[int, int]


class Panel:
    """One script. `interaction` is whose it is, None for integrations and the Global Functions."""

    def __init__(self, place: str, source: str, interaction: Interaction | None = None) -> None:
        self.place = place
        self.source = source
        self.interaction = interaction

    @cached_property
    def words(self) -> list[Word]:
        """The words of the script."""
        return words(self.source)

    @cached_property
    def texts(self) -> frozenset[str]:
        """Every literal text of the script."""
        return frozenset(word.value for word in self.words if word.kind == "text")

    @cached_property
    def uses(self) -> tuple[Use, ...]:
        """What the script uses of `botContext`, by that name or by one given to it (`var bc = botContext`)."""
        names = {"botContext"} | {
            self.words[at - 2].value
            for at, word in enumerate(self.words)
            if word.value == "botContext" and at > 1 and self._is(at - 1, "=") and not self._is(at + 1, ".", "[")
        }
        return tuple(
            use
            for at, word in enumerate(self.words)
            if word.kind == "name" and word.value in names and not self._is(at - 1, ".")
            for use in [self._use(at)]
            if use is not None
        )

    @cached_property
    def calls(self) -> tuple[Word, ...]:
        """The names called as plain functions: `f(…)`, not `o.f(…)` and not `function f(…)`."""
        return tuple(word for at, word in enumerate(self.words) if self._is_call(at))

    @cached_property
    def others(self) -> frozenset[str]:
        """The names that stand in the script otherwise than called: what it may have declared."""
        return frozenset(
            word.value
            for at, word in enumerate(self.words)
            if word.kind == "name" and not self._is_call(at) and not self._is(at - 1, ".")
        )

    @cached_property
    def declared(self) -> frozenset[str]:
        """The names the script certainly gives a meaning: declared by a keyword, or assigned to."""
        return frozenset(
            word.value
            for at, word in enumerate(self.words)
            if word.kind == "name" and (self._is(at - 1, *_BINDS) or (self._is(at + 1, "=") and self._is_global(at)))
        )

    @cached_property
    def read(self) -> tuple[Word, ...]:
        """The names whose members the script reads, or that it calls: `name.…`, `name(…)`."""
        return tuple(
            word
            for at, word in enumerate(self.words)
            if word.kind == "name" and self._is(at + 1, ".", "(") and not self._is(at - 1, ".", "function", "typeof")
        )

    def _is(self, at: int, *values: str) -> bool:
        """Tell whether the word at a place is one of these marks or names; no word is at a place outside."""
        if not 0 <= at < len(self.words):
            return False
        word = self.words[at]
        return word.kind in {"mark", "name"} and word.value in values

    def _is_global(self, at: int) -> bool:
        """Tell whether a name stands for itself: not as a member, unless of `this`, which is where globals are."""
        return not self._is(at - 1, ".") or self._is(at - 2, "this", "globalThis")

    def _is_call(self, at: int) -> bool:
        word = self.words[at]
        if word.kind != "name" or word.value in KEYWORDS:
            return False
        if not self._is(at + 1, "(") or self._is(at - 1, ".", "function", "for"):
            return False
        # `name(…) {` declares a method of an object.
        return not self._is(self._closing.get(at + 1, at) + 1, "{")

    def _use(self, at: int) -> Use | None:
        """Read `.name` or `["name"]` after the object, and the first argument if it is called."""
        if self._is(at + 1, ".") and at + 2 < len(self.words) and self.words[at + 2].kind == "name":
            member, behind = self.words[at + 2], at + 3
        elif self._is(at + 1, "[") and self._is(at + 3, "]") and self.words[at + 2].kind == "text":
            member, behind = self.words[at + 2], at + 4
        else:
            return None
        if not self._is(behind, "("):
            return Use(member.value, called=False, literal=None, texts=(), at=member.at)
        argument = self._first_argument(behind)
        texts = tuple(word.value for word in argument if word.kind == "text")
        literal = texts[0] if len(argument) == 1 and texts else None
        return Use(member.value, called=True, literal=literal, texts=texts, at=member.at)

    def _first_argument(self, opening: int) -> list[Word]:
        """Return the words up to the comma or bracket that ends the first argument; of a very long one, its begin."""
        at = opening + 1
        last = min(self._closing.get(opening, at), at + _LONGEST_ARGUMENT)
        while at < last and not self._is(at, ","):
            at = self._closing.get(at, at) + 1
        return self.words[opening + 1 : min(at, last)]

    @cached_property
    def _closing(self) -> dict[int, int]:
        """The place of the bracket that closes each opening one."""
        pairs: dict[int, int] = {}
        waiting: list[int] = []
        for at, word in enumerate(self.words):
            if word.kind == "mark" and word.value in "([{":
                waiting.append(at)
            elif word.kind == "mark" and word.value in ")]}" and waiting:
                pairs[waiting.pop()] = at
        return pairs


def panels(bot: Bot) -> Iterator[Panel]:
    """Yield every script of a bot that is not empty."""
    for interaction in bot.interactions.values():
        for field, title in _PANELS:
            source = getattr(interaction, field)
            if source.strip():
                yield Panel(f"{place_of(bot, interaction)} / {title}", source, interaction)
    for integration in bot.integrations.values():
        if integration.transform.strip():
            yield Panel(f"{INTEGRATIONS} / {integration.name} / Transform Result Script", integration.transform)
    if bot.global_functions.strip():
        yield Panel(GLOBAL_FUNCTIONS, bot.global_functions)


def place_of(bot: Bot, interaction: Interaction) -> str:
    """Return `dialog / interaction`."""
    return f"{bot.dialogs[interaction.dialog_id].name} / {interaction.name}"
