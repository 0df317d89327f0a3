"""Conditions on variables (CB: reference/dialogs.md 1.5): `matchType` is the operator, in whatever spelling."""

import re

from shared.bot.model import Interaction
from shared.bot.model_rules import Rule, VariableCondition
from shared.bot.templates import Template
from shared.bot.values import text_of
from shared.dialog.resolve import Resolver
from shared.dialog.work import Work

_SYMBOLS = {"==": "EQUAL", "=": "EQUAL", "!=": "NOT_EQUAL", ">": "GREATER", ">=": "GREATER_EQUAL"}
_SYMBOLS |= {"<": "LESS", "<=": "LESS_EQUAL"}
_SHORT = {"EQ": "EQUAL", "NE": "NOT_EQUAL", "NEQ": "NOT_EQUAL", "GT": "GREATER", "LT": "LESS"}
_SHORT |= {"GTE": "GREATER_EQUAL", "GE": "GREATER_EQUAL", "LTE": "LESS_EQUAL", "LE": "LESS_EQUAL"}
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_FILLERS = frozenset({"DOES", "IS", "TO", "THAN", "OR", "WITH", "THE", ""})
_PLURALS = {"EQUALS": "EQUAL", "CONTAINS": "CONTAIN", "EXISTS": "EXIST", "STARTS": "START", "ENDS": "END"}
_PLURALS |= {"SET": "EXIST", "GREATER": "GREATER", "BLANK": "EMPTY", "BEGINS": "START", "INCLUDES": "CONTAIN"}


def variables_hold(work: Work, interaction: Interaction, rule: Rule) -> bool:
    """Tell whether the conditions on variables hold: all of them, or any if the rule says so."""
    if not rule.variables:
        return True
    results = (_holds(work, interaction, condition) for condition in rule.variables)
    return any(results) if rule.any_variable else all(results)


def operator_of(written: str) -> str:
    """Return the operator an export's word stands for: `NOT_CONTAINS`, `doesNotContain` and `not contains` are one."""
    plain = written.strip()
    if plain in _SYMBOLS:
        return _SYMBOLS[plain]
    words = re.split(r"[_\s-]+", _HUMP.sub("_", plain).upper())
    kept = [_PLURALS.get(word, word) for word in words if word not in _FILLERS]
    joined = "_".join(kept)
    return _SHORT.get(joined, joined)


def _holds(work: Work, interaction: Interaction, condition: VariableCondition) -> bool:
    resolver = Resolver(work, interaction)
    is_set, left = _side(work, resolver, condition.left)
    _, right = _side(work, resolver, condition.right)
    here, there = left.strip().casefold(), right.strip().casefold()
    operator = operator_of(condition.operator)
    wanted = not operator.startswith("NOT_")
    match operator.removeprefix("NOT_"):
        case "CONTAIN":
            return (there in here) is wanted
        case "EQUAL":
            return (here == there) is wanted
        case "START":
            return here.startswith(there) is wanted
        case "END":
            return here.endswith(there) is wanted
        case "EXIST":
            return is_set is wanted
        case "EMPTY":
            return (here == "") is wanted
        case other:
            return _compare(work, interaction, other, (_number(here), _number(there)), wanted=wanted)


def _compare(work: Work, interaction: Interaction, operator: str, sides: tuple[float, float], *, wanted: bool) -> bool:
    """Compare numbers; a side that is none makes every comparison fail."""
    left, right = sides
    match operator:
        case "GREATER":
            return left > right if wanted else left <= right
        case "LESS":
            return left < right if wanted else left >= right
        case "GREATER_EQUAL":
            return left >= right if wanted else left < right
        case "LESS_EQUAL":
            return left <= right if wanted else left > right
        case _:
            work.warn("unsupported-rule", interaction, f"the operator {operator} is not known: it never holds")
            return False


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


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
