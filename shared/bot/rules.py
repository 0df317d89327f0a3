"""Compile rules, in the order in which they are tried (R1; CB: reference/dialogs.md 1.5, 2.3)."""

import re

from shared.bot import export_rules as raw
from shared.bot.conditions import compile_condition, compile_variable_condition
from shared.bot.export import Message
from shared.bot.links import Links
from shared.bot.model_rules import Assignment, IntentCondition, NoMatchCondition, Rule, Target
from shared.bot.templates import compile_template

_WORDS = frozenset({"next", "none", "close_dialog", "close_conversation"})
_SCOPES = frozenset({"request", "dialog", "session", "forever"})
_SLOT = re.compile(r"\{?(?:\$botContext\.)?(?:slot\.)?(?P<name>[^{}]+)\}?", re.IGNORECASE)


def compile_rules(message: Message, links: Links) -> tuple[Rule, ...]:
    """Compile the rules of an interaction: intent rules, others in list order, the default, NO_MATCH."""
    rules = [_rule(match, message, links) for match in message.response_matches]
    return tuple(sorted(rules, key=_turn))


def _turn(rule: Rule) -> int:
    match rule.condition:
        case IntentCondition():
            return 0
        case None if rule.is_default:
            return 2
        case NoMatchCondition():
            return 3
        case _:
            return 1


def _rule(match: raw.ResponseMatch, message: Message, links: Links) -> Rule:
    condition = compile_condition(match.conditions[0], message, links) if match.conditions else None
    if len(match.conditions) > 1:
        links.find("unsupported-rule", message, "a rule has several main conditions: only the first counts")
    return Rule(
        name=match.name or type(condition).__name__.removesuffix("Condition").lower().replace("nonetype", "default"),
        condition=condition,
        variables=tuple(compile_variable_condition(one) for one in match.context_conditions),
        any_variable=match.context_match_condition_type.upper() not in {"ALL", "AND"},
        target=_target(match.action, message, links),
        assignments=tuple(_assignment(one) for one in match.context_data_variables if one.name),
    )


def _target(action: raw.Action, message: Message, links: Links) -> Target:
    if action.name == "DIALOG":
        if action.value in links.dialogs:
            return Target("dialog", action.value)
    elif action.value in _WORDS:
        return Target(action.value)
    elif action.value in links.messages:
        return Target("interaction", action.value)
    links.find(
        "dangling-target",
        message,
        "a rule leads to something that is not in this file: the next action is taken",
    )
    return Target("missing")


def _assignment(variable: raw.ContextVariable) -> Assignment:
    """Compile an assignment; `@entity` as its value makes it a slot, the variable `slot.<name>`."""
    scope = variable.scope.lower()
    value = (variable.value or "").strip()
    known = scope if scope in _SCOPES else "session"
    if value.startswith("@") and len(value) > 1:
        named = _SLOT.fullmatch(variable.name.strip())
        name = named["name"].strip() if named else variable.name
        return Assignment(f"slot.{name}", compile_template(value), known, value[1:].strip())
    return Assignment(variable.name, compile_template(variable.value or ""), known)
