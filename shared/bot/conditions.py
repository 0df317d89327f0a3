"""Compile the conditions of rules (CB: reference/dialogs.md 1.5, 3).

Exports spell some of them in ways nobody has seen: `INTENT` with `intentMatch`, `EXACT` with `exactMatch`, … are read
as what they must mean.
"""

from typing import Any

from shared.bot import export_rules as raw
from shared.bot.export import Message
from shared.bot.expressions import BadExpression, compile_expression
from shared.bot.links import Links
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
    UnsupportedCondition,
    VariableCondition,
)
from shared.bot.patterns import Pattern, compile_pattern
from shared.bot.templates import compile_template

_SPELLINGS = {
    "PATTERNS": "PATTERN",
    "REGULAR_EXPRESSION": "REGEX",
    "REGEXP": "REGEX",
    "EVALUATE_OPTION": "EVAL_OPTION",
    "EVALUATE_OPTIONS": "EVAL_OPTION",
    "EVAL_OPTIONS": "EVAL_OPTION",
    "EXACT": "EXACT_VALUE",
    "EXACT_MATCH": "EXACT_VALUE",
    "EXACT_VALUES": "EXACT_VALUE",
    "RESPONSE_INTENT": "INTENT",
    "INTENT_MATCH": "INTENT",
    "INTENTS": "INTENT",
    "KB": "KB_MATCH",
    "KB_RESULT": "KB_MATCH",
    "KNOWLEDGE_BASE": "KB_MATCH",
    "API": "API_RESULT",
    "API_RESULTS": "API_RESULT",
    "NOMATCH": "NO_MATCH",
}


def compile_condition(condition: raw.Condition, message: Message, links: Links) -> Condition:
    """Compile a main condition; one that cannot be read never matches and is found."""
    kind = condition.match_type.upper().strip().replace(" ", "_")
    match _SPELLINGS.get(kind, kind):
        case "PATTERN" if (patterns := condition.pattern_match) is not None:
            compiled = tuple(compile_pattern(pattern) for pattern in patterns.patterns)
            return PatternCondition(compiled, excluded(patterns.exclude_keywords))
        case "REGEX" if (part := condition.regex_match) is not None:
            return RegexCondition(part.regex_text, _regex(part, message, links), excluded(part.exclude_keywords))
        case "EVAL_OPTION" if (value := _value(condition)) is not None:
            return ChoiceCondition(value)
        case "EXACT_VALUE" if (value := _value(condition)) is not None:
            return ExactCondition(value)
        case "NO_MATCH":
            text = condition.no_match.fallback_message if condition.no_match else None
            return NoMatchCondition(compile_template(text or ""))
        case "API_RESULT" if (status := condition.api_results_match or condition.api_result_match) is not None:
            return ApiCondition(status.status.upper() == "SUCCESS")
        case "KB_MATCH" if (status := condition.kb_result_match or condition.kb_match) is not None:
            return KnowledgeCondition("NOT" not in status.status.upper())
        case "INTENT" if (intent := _intent(condition)) is not None:
            return IntentCondition(intent)
    links.find("unsupported-rule", message, f"a rule by {condition.match_type} never matches here")
    return UnsupportedCondition(condition.match_type)


def _value(condition: raw.Condition) -> str | None:
    found = (
        condition.evaluate_option_match
        or condition.exact_value_match
        or condition.exact_match
        or condition.eval_option_match
    )
    return found.value if found is not None else None


def _intent(condition: raw.Condition) -> str | None:
    found = condition.intent_match or condition.response_intent_match
    if found is None:
        return None
    return found.intent_id or found.id or found.intent_name or found.name or found.value


def excluded(keywords: list[str] | None) -> tuple[Pattern, ...]:
    """Compile excluded keywords: each vetoes wherever it stands."""
    return tuple(compile_pattern(f"*{keyword}*") for keyword in keywords or () if keyword.strip())


def _regex(part: raw.RegexMatch, message: Message, links: Links) -> Any:
    try:
        return compile_expression(part.regex_text)
    except BadExpression as error:
        links.find("bad-regex", message, f"a regular expression cannot be compiled: {error}")
        return None


def compile_variable_condition(condition: raw.ContextCondition) -> VariableCondition:
    """Compile one: the left side is a bare name or a template, the right side a template or literal text."""
    left = condition.context_name
    if "{" not in left:
        left = "{$botContext." + left + "}"
    return VariableCondition(condition.match_type, compile_template(left), compile_template(condition.value or ""))
