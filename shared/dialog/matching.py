"""Which rule or starter a message matches (CB: reference/dialogs.md 2.3, 2.4, 3; R1, R6, R8, R9)."""

from operator import itemgetter
from typing import NamedTuple

from shared.bot.model import Dialog, Interaction
from shared.bot.model_rules import (
    ApiCondition,
    ChoiceCondition,
    Condition,
    ExactCondition,
    IntentCondition,
    KnowledgeCondition,
    NoMatchCondition,
    PatternCondition,
    RegexCondition,
    Rule,
)
from shared.bot.patterns import Pattern
from shared.dialog.comparisons import variables_hold
from shared.dialog.resolve import Resolver
from shared.dialog.work import Work

GOOD = 0.7
FAIR_PLUS = 0.5

_REGEX_SECONDS = 0.05
# Half a second of a turn, which no rule could wait for any longer.
_MOST_STOPPED = 10
_STARTABLE = frozenset({"DIALOG", "SURVEY_DIALOG"})
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"


class Outcome(NamedTuple):
    """What rules may ask for after a call (has it succeeded?) or a search (was anything found?); None: neither ran."""

    succeeded: bool | None = None
    found: bool | None = None


NO_OUTCOME = Outcome()


class Start(NamedTuple):
    """A dialog whose starter matches: `why` is for the trace, `intent` the name of the intent that matched."""

    dialog: Dialog
    why: str
    intent: str | None = None


def match_rule(work: Work, interaction: Interaction, outcome: Outcome = NO_OUTCOME) -> Rule | None:
    """Return the first rule that matches the consumer's text, or the outcome of a call."""
    for rule in interaction.rules:
        if (
            _meets(work, interaction, rule.condition, outcome)
            and (rule.slot is None or _has_entity(work, rule.slot.entity))
            and variables_hold(work, interaction, rule)
        ):
            return rule
    return None


def match_starter(work: Work) -> Start | None:
    """Return the dialog the consumer's text starts: by any pattern (R6), else by the best intent that is good."""
    text = work.position.text
    starters = [(dialog, dialog.starter) for dialog in work.bot.dialogs.values() if can_start(dialog)]
    allowed = [(dialog, one) for dialog, one in starters if one is not None and not _any(one.excluded, text)]
    for dialog, starter in allowed:
        pattern = next((one for one in starter.patterns if one.matches(text)), None)
        if pattern is not None:
            return Start(dialog, f"by the pattern {pattern.source}")
    likely = [(score_of(work, one.intent_id), dialog, one.intent_id) for dialog, one in allowed if one.intent_id]
    good = [one for one in likely if one[0] >= GOOD]
    if not good:
        return None
    _, dialog, intent_id = max(good, key=itemgetter(0))
    name = work.bot.intent(intent_id).name
    return Start(dialog, f"by the intent {name}", name)


def can_start(dialog: Dialog) -> bool:
    """Tell whether a consumer's text can start a dialog."""
    return dialog.enabled and dialog.kind in _STARTABLE and dialog.starter is not None and dialog.starter.enabled


def score_of(work: Work, called: str) -> float:
    """Return how sure it is that the consumer's text has an intent, 0 if it has not."""
    wanted = work.bot.intent(called).id.casefold()
    intents = work.position.understood.intents
    found = (one.score for one in intents if work.bot.intent(one.name).id.casefold() == wanted)
    return max(found, default=0.0)


def _has_entity(work: Work, entity: str | None) -> bool:
    wanted = (entity or "").casefold()
    return any(one.name.lstrip("@").casefold() == wanted for one in work.position.understood.entities)


def _any(patterns: tuple[Pattern, ...], text: str) -> bool:
    return any(pattern.matches(text) for pattern in patterns)


def _meets(work: Work, interaction: Interaction, condition: Condition | None, outcome: Outcome) -> bool:
    text = work.position.text
    match condition:
        case None | NoMatchCondition():
            return True
        case PatternCondition(patterns, excluded):
            return _any(patterns, text) and not _any(excluded, text)
        case RegexCondition():
            return _regex_finds(work, interaction, condition, text)
        case ChoiceCondition(value):
            return _chooses(work, interaction, value, text)
        case ExactCondition(value):
            return text.strip().casefold() == value.strip().casefold()
        case IntentCondition(intent_id):
            return score_of(work, intent_id) >= GOOD
        case ApiCondition(success):
            return outcome.succeeded is success
        case KnowledgeCondition(found):
            return outcome.found is found
        case _:
            return False


def _regex_finds(work: Work, interaction: Interaction, condition: RegexCondition, text: str) -> bool:
    if condition.compiled is None:
        return False
    if work.stopped_expressions >= _MOST_STOPPED:
        work.warn("regex-stopped", interaction, "a regular expression was not tried: too many were stopped before it")
        return False
    try:
        found = condition.compiled.search(text, timeout=_REGEX_SECONDS) is not None
    except (TimeoutError, MemoryError):
        work.stopped_expressions += 1
        work.warn("regex-stopped", interaction, "a regular expression took more than 50 ms: it counts as no match")
        return False
    return found and not _any(condition.excluded, text)


def _chooses(work: Work, interaction: Interaction, value: str, text: str) -> bool:
    """Compare with the text of the choice, and with its number or letter when it is shown as a list."""
    wanted, said = value.strip().casefold(), text.strip().casefold().rstrip(".)")
    if wanted in {text.strip().casefold(), said}:
        return True
    resolver = Resolver(work, interaction)
    choices = [resolver.text(choice).strip().casefold() for choice in interaction.choices]
    if wanted not in choices:
        return False
    place = choices.index(wanted)
    if interaction.choice_style.upper().startswith("LETTER"):
        return place < len(_ALPHABET) and said == _ALPHABET[place]
    return said == str(place + 1)
