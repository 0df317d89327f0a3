"""What consumers' words are compared with: patterns, intents."""

from collections.abc import Iterator

from services.check.codes import found
from services.check.panels import place_of
from services.check.subject import Subject
from shared.bot.errors import Finding
from shared.bot.model import Bot, Dialog, IntentCondition, Interaction, PatternCondition
from shared.bot.patterns import Pattern
from shared.bot.understanding import findings

_MARKS = frozenset("*()|")
_NOT_UNDERSTOOD = "intent-without-phrases"


def check_matching(subject: Subject) -> Iterator[Finding]:
    """Check starters and rules."""
    for interaction in subject.bot.interactions.values():
        yield from _brackets(interaction, subject.bot)
    yield from _intents(subject)
    yield from _hidden(subject.bot)


def _brackets(interaction: Interaction, bot: Bot) -> Iterator[Finding]:
    rules = [rule.condition for rule in interaction.rules if isinstance(rule.condition, PatternCondition)]
    for pattern in (*interaction.patterns, *(pattern for condition in rules for pattern in condition.patterns)):
        if not _paired(pattern.source):
            note = f'a bracket of the pattern "{pattern.source}" has no partner: it is taken as a character'
            yield found("unpaired-bracket", place_of(bot, interaction), note)


def _paired(source: str) -> bool:
    depth = 0
    for character in source:
        depth += (character == "(") - (character == ")")
        if depth < 0:
            return False
    return depth == 0


def _hidden(bot: Bot) -> Iterator[Finding]:
    """Compare the starters in the order in which they are tried (R6)."""
    earlier: list[tuple[Dialog, Interaction]] = []
    for dialog in bot.dialogs.values():
        starter = dialog.starter
        if starter is None or not dialog.enabled or not starter.enabled or dialog.kind != "DIALOG":
            continue
        for pattern in starter.patterns:
            hiding = next((one for one, other in earlier if _hides(other, pattern)), None)
            if hiding is not None:
                note = f'the dialog "{hiding.name}" comes first and takes all that "{pattern.source}" matches'
                yield found("hidden-pattern", place_of(bot, starter), note)
        earlier.append((dialog, starter))


def _hides(starter: Interaction, pattern: Pattern) -> bool:
    """Tell whether a starter certainly takes everything a pattern matches: the same pattern, or a fixed text."""
    if starter.excluded:
        return False
    if any(one.sequence == pattern.sequence for one in starter.patterns):
        return True
    fixed = not _MARKS & set(pattern.source)
    return fixed and any(one.matches(pattern.source) for one in starter.patterns)


def _intents(subject: Subject) -> Iterator[Finding]:
    """Ask which intents of starters and rules nobody understands, unless the compiler has said so."""
    told = {finding.place for finding in subject.bot.findings if finding.code == _NOT_UNDERSTOOD}
    wanted = [
        (place, subject.intents.get(intent, (intent,)))
        for interaction in subject.bot.interactions.values()
        for place in [place_of(subject.bot, interaction)]
        for intent in _wanted(interaction)
        if place not in told
    ]
    yield from findings(subject.bot.understanding, wanted)


def _wanted(interaction: Interaction) -> Iterator[str]:
    conditions = (rule.condition for rule in interaction.rules)
    intents = (interaction.intent_id, *(one.intent_id for one in conditions if isinstance(one, IntentCondition)))
    yield from dict.fromkeys(intent for intent in intents if intent)
