"""Which rule or starter a message matches (CB: reference/dialogs.md 2.3, 2.4, 3; R1, R6, R8, R9)."""

from shared.bot.model import (
    ApiCondition,
    ChoiceCondition,
    Condition,
    Dialog,
    ExactCondition,
    Interaction,
    NoMatchCondition,
    PatternCondition,
    RegexCondition,
    Rule,
    VariableCondition,
)
from shared.bot.patterns import Pattern
from shared.bot.templates import Template
from shared.bot.values import text_of
from shared.dialog.resolve import Resolver
from shared.dialog.work import Work

_REGEX_SECONDS = 0.05
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"


def match_rule(work: Work, interaction: Interaction, *, succeeded: bool | None = None) -> Rule | None:
    """Return the first rule that matches the consumer's text; `succeeded` is the result of a call, if there was one."""
    for rule in interaction.rules:
        if _meets(work, interaction, rule.condition, succeeded) and _variables_hold(work, interaction, rule):
            return rule
    return None


def match_starter(work: Work) -> tuple[Dialog, Pattern] | None:
    """Return the first dialog whose starter has a pattern for the consumer's text (R6)."""
    text = work.position.text
    for dialog in work.bot.dialogs.values():
        starter = dialog.starter
        if starter is None or not dialog.enabled or not starter.enabled or dialog.kind != "DIALOG":
            continue
        pattern = next((one for one in starter.patterns if one.matches(text)), None)
        if pattern is not None and not _any(starter.excluded, text):
            return dialog, pattern
    return None


def _any(patterns: tuple[Pattern, ...], text: str) -> bool:
    return any(pattern.matches(text) for pattern in patterns)


def _meets(work: Work, interaction: Interaction, condition: Condition | None, succeeded: bool | None) -> bool:  # noqa: FBT001 three values, not a flag
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
        case ApiCondition(success):
            return succeeded is not None and succeeded == success
        case _:
            return False


def _regex_finds(work: Work, interaction: Interaction, condition: RegexCondition, text: str) -> bool:
    if condition.compiled is None:
        return False
    try:
        found = condition.compiled.search(text, timeout=_REGEX_SECONDS) is not None
    except TimeoutError:
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


def _variables_hold(work: Work, interaction: Interaction, rule: Rule) -> bool:
    if not rule.variables:
        return True
    results = (_holds(work, interaction, condition) for condition in rule.variables)
    return any(results) if rule.any_variable else all(results)


def _holds(work: Work, interaction: Interaction, condition: VariableCondition) -> bool:
    resolver = Resolver(work, interaction)
    left_set, left = _side(work, resolver, condition.left)
    _, right = _side(work, resolver, condition.right)
    here, there = left.strip().casefold(), right.strip().casefold()
    operator = condition.operator.upper().replace("DOES_", "").replace("IS_", "").removesuffix("S_TO")
    match operator:
        case "CONTAINS":
            return there in here
        case "NOT_CONTAINS" | "NOT_CONTAIN":
            return there not in here
        case "EQUALS" | "EQUAL" | "EQ" | "EQUAL_TO":
            return here == there
        case "NOT_EQUALS" | "NOT_EQUAL" | "NE" | "NEQ" | "NOT_EQUAL_TO":
            return here != there
        case "STARTS_WITH":
            return here.startswith(there)
        case "ENDS_WITH":
            return here.endswith(there)
        case "EXISTS" | "EXIST" | "SET":
            return left_set
        case "NOT_EXISTS" | "NOT_EXIST" | "NOT_SET":
            return not left_set
        case _:
            return _compare(work, interaction, operator, (here, there))


def _compare(work: Work, interaction: Interaction, operator: str, sides: tuple[str, str]) -> bool:
    try:
        left, right = float(sides[0]), float(sides[1])
    except ValueError:
        left, right = float("nan"), float("nan")
    match operator:
        case "GREATER_THAN" | "GREATER" | "GT":
            return left > right
        case "LESS_THAN" | "LESS" | "LT":
            return left < right
        case "GREATER_THAN_OR_EQUAL" | "GREATER_THAN_OR_EQUALS" | "GTE" | "GE":
            return left >= right
        case "LESS_THAN_OR_EQUAL" | "LESS_THAN_OR_EQUALS" | "LTE" | "LE":
            return left <= right
        case _:
            work.warn("unsupported-rule", interaction, f"the operator {operator} is not known: it never holds")
            return False


def _side(work: Work, resolver: Resolver, template: Template) -> tuple[bool, str]:
    """Return one side of a condition: a variable's value when it names one, else the rendered text."""
    if not template.placeholders:
        found, value = work.find_variable(template.source.strip())
        return (True, text_of(value)) if found and value is not None else (bool(template.source), template.source)
    if len(template.parts) == 1:
        found, value = work.find_variable(template.placeholders[0].name)
        if template.placeholders[0].kind == "variable":
            return found and value is not None, text_of(value)
    return True, resolver.text(template)
