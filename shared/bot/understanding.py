"""What a bot may understand: phrases of intents, words of entities, or an endpoint that knows them (the manifest).

CB exports neither phrases nor entities (CB: reference/dialogs.md 1.7), so they stand in the manifest. An entity's value
is written as in CB, `word~value`: `small~10` (CB: reference/scripting.md 1.6); without `~` the word is the value.
"""

import re
from collections.abc import Collection, Iterator
from urllib.parse import parse_qsl, urlsplit

import msgspec

from shared.bot.errors import Finding
from shared.bot.expressions import BadExpression, compile_expression

LONGEST_WAIT = 5.0
_SECRET = re.compile(r"token|key|secret|password|signature", re.IGNORECASE)


class IntentPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[intents."name or id"]`: what consumers say when they mean it. `@NAME` stands for any value of an entity."""

    phrases: tuple[str, ...] = ()


class EntityPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[entities.NAME]`: `values` are `word~value`, `patterns` regular expressions (group 1, if any, is the value)."""

    values: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()


class UnderstandingPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[understanding]`: an endpoint in the shape of Rasa's `/model/parse`, and how many seconds it may take."""

    url: str = ""
    timeout: float = 1.0


class Understanding(msgspec.Struct, frozen=True):
    """What the manifest says of understanding. With a `url` the endpoint is asked, and nothing else."""

    intents: dict[str, IntentPart] = {}
    entities: dict[str, EntityPart] = {}
    url: str = ""
    timeout: float = 1.0

    @property
    def local(self) -> bool:
        """Whether texts are understood here, without asking anybody."""
        return not self.url and bool(self.intents or self.entities)


def problems(understanding: Understanding) -> Iterator[tuple[str, str, str]]:
    """Yield what cannot be carried out: (key of the manifest, problem, remedy)."""
    for name, intent in understanding.intents.items():
        if not intent.phrases:
            yield f"intents.{name}.phrases", "there are none", "Give what consumers say, a dozen phrases or more"
        if not all(any(map(str.isalnum, phrase)) for phrase in intent.phrases):
            yield f"intents.{name}.phrases", "one of them has no word", "Remove it"
    for name, entity in understanding.entities.items():
        yield from _entity_problems(f"entities.{name}", name, entity)
    yield from _address_problems(understanding.url)
    if not 0 < understanding.timeout <= LONGEST_WAIT:  # refuses nan, which TOML can write
        yield "understanding.timeout", f"{understanding.timeout:g} cannot be", f"Give up to {LONGEST_WAIT:g} seconds"


def findings(understanding: Understanding, wanted: Collection[tuple[str, Collection[str]]]) -> Iterator[Finding]:
    """Yield what an author should know. `wanted` are (place, names of its intent) of starters and rules."""
    if understanding.url:
        if understanding.intents or understanding.entities:
            note = "the endpoint of [understanding] is asked instead: phrases and entities here have no effect"
            yield Finding("unused-phrases", "manifest: intents", note)
        return
    known = {name.strip().casefold() for name in understanding.intents}
    for place, names in wanted:
        if known.isdisjoint(name.strip().casefold() for name in names):
            name = next((name for name in names if name.strip()), "?")
            note = f"the manifest has neither phrases for the intent '{name}' nor an endpoint: it never matches"
            yield Finding("intent-without-phrases", place, note)


def _entity_problems(place: str, name: str, entity: EntityPart) -> Iterator[tuple[str, str, str]]:
    if not name.strip() or "@" in name:
        yield place, "an entity is named without @", "Write [entities.SIZE] for @SIZE"
    if not entity.values and not entity.patterns:
        yield place, "it has neither values nor patterns", 'Give values = ["small~10", "large~30"]'
    if not all(any(map(str.isalnum, value.partition("~")[0])) for value in entity.values):
        yield f"{place}.values", "one of them has no word", "Write word~value, or the word alone"
    for pattern in entity.patterns:
        try:
            compile_expression(pattern)
        except BadExpression as error:
            yield f"{place}.patterns", f"{pattern!r} is no regular expression: {error}", "Mend it"


def _address_problems(url: str) -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong with an endpoint's address; a secret in it would be stored in Redis."""
    place = "understanding.url"
    try:
        parts = urlsplit(url)
        usable = not url or (parts.hostname and parts.port != 0 and parts.scheme in {"http", "https"})
    except ValueError:
        usable = False
    if not usable:
        yield place, "it is no http or https address", "Write it like https://nlu.example.com/model/parse"
    elif parts.username or any(_SECRET.search(name) for name, _ in parse_qsl(parts.query)):
        yield place, "a secret stands in the manifest itself", "Let the endpoint trust its network instead"
