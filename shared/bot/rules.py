"""Compile rules, in the order in which they are tried (R1; CB: reference/dialogs.md 1.5, 2.3)."""

from typing import Any

import regex

from shared.bot import export as raw
from shared.bot.links import Links
from shared.bot.model import (
    ApiCondition,
    Assignment,
    ChoiceCondition,
    Condition,
    ExactCondition,
    IntentCondition,
    NoMatchCondition,
    PatternCondition,
    RegexCondition,
    Rule,
    Target,
    UnsupportedCondition,
    VariableCondition,
)
from shared.bot.patterns import Pattern, compile_pattern
from shared.bot.templates import compile_template

_WORDS = frozenset({"next", "none", "close_dialog", "close_conversation"})
_SCOPES = frozenset({"request", "dialog", "session", "forever"})


def compile_rules(message: raw.Message, links: Links) -> tuple[Rule, ...]:
    """Compile the rules of an interaction: intent rules, others in list order, the default, NO_MATCH."""
    rules = [_rule(match, message, links) for match in message.response_matches]
    return tuple(sorted(rules, key=_turn))


def _turn(rule: Rule) -> int:
    match rule.condition:
        case IntentCondition():
            return 0
        case None:
            return 2
        case NoMatchCondition():
            return 3
        case _:
            return 1


def _rule(match: raw.ResponseMatch, message: raw.Message, links: Links) -> Rule:
    condition = _condition(match.conditions[0], message, links) if match.conditions else None
    if len(match.conditions) > 1:
        links.find("unsupported-rule", message, "a rule has several main conditions: only the first counts")
    return Rule(
        name=match.name or type(condition).__name__.removesuffix("Condition").lower().replace("nonetype", "default"),
        condition=condition,
        variables=tuple(_variable_condition(one) for one in match.context_conditions),
        any_variable=match.context_match_condition_type != "ALL",
        target=_target(match.action, message, links),
        assignments=tuple(_assignment(one) for one in match.context_data_variables if one.name),
    )


def _condition(condition: raw.Condition, message: raw.Message, links: Links) -> Condition:
    match condition:
        case raw.Condition(match_type="PATTERN", pattern_match=raw.PatternMatch() as part):
            patterns = tuple(compile_pattern(pattern) for pattern in part.patterns)
            return PatternCondition(patterns, _excluded(part.exclude_keywords))
        case raw.Condition(match_type="REGEX", regex_match=raw.RegexMatch() as part):
            return RegexCondition(part.regex_text, _regex(part, message, links), _excluded(part.exclude_keywords))
        case raw.Condition(match_type="EVAL_OPTION", evaluate_option_match=raw.ValueMatch() as part):
            return ChoiceCondition(part.value)
        case raw.Condition(match_type="EXACT_VALUE", exact_value_match=raw.ValueMatch() as part):
            return ExactCondition(part.value)
        case raw.Condition(match_type="NO_MATCH"):
            message_text = condition.no_match.fallback_message if condition.no_match else None
            return NoMatchCondition(compile_template(message_text or ""))
        case raw.Condition(match_type="API_RESULT", api_results_match=raw.StatusMatch() as part):
            return ApiCondition(part.status == "SUCCESS")
        case _:
            links.find("unsupported-rule", message, f"a rule by {condition.match_type} never matches here")
            return UnsupportedCondition(condition.match_type)


def _excluded(keywords: list[str]) -> tuple[Pattern, ...]:
    return tuple(compile_pattern(f"*{keyword}*") for keyword in keywords if keyword.strip())


def _regex(part: raw.RegexMatch, message: raw.Message, links: Links) -> Any:
    """Compile a regular expression (R8): in VERSION1 nested classes and inline flags mean what they mean in Java."""
    try:
        return regex.compile(part.regex_text, regex.VERSION1)
    except (regex.error, RecursionError) as error:
        links.find("bad-regex", message, f"a regular expression cannot be compiled: {error}")
        return None


def _variable_condition(condition: raw.ContextCondition) -> VariableCondition:
    """Compile one: the left side is a bare name or a template, the right side a template or literal text."""
    left = condition.context_name
    if "{" not in left:
        left = "{$botContext." + left + "}"
    return VariableCondition(condition.match_type, compile_template(left), compile_template(condition.value or ""))


def _target(action: raw.Action, message: raw.Message, links: Links) -> Target:
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
    scope = variable.scope.lower()
    return Assignment(variable.name, compile_template(variable.value or ""), scope if scope in _SCOPES else "session")
