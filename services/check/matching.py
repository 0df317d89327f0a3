"""What consumers' words are compared with: patterns (the compiler has looked at expressions and intents)."""

from collections.abc import Iterator

from services.check.codes import found
from services.check.panels import place_of
from services.check.subject import Subject
from shared.bot.errors import Finding
from shared.bot.model import Bot, Dialog, Interaction
from shared.bot.model_rules import PatternCondition
from shared.bot.patterns import Pattern
from shared.dialog.matching import can_start

_MARKS = frozenset("*()|")


def check_matching(subject: Subject) -> Iterator[Finding]:
    """Check starters and rules."""
    for interaction in subject.bot.interactions.values():
        yield from _brackets(interaction, subject.bot)
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
        if starter is None or not can_start(dialog):
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
