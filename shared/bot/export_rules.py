"""The rules of an interaction of an export, with every spelling they may have (CB: reference/dialogs.md 1.5)."""

import msgspec


class _Part(msgspec.Struct, frozen=True, rename="camel"):
    """Keys are camelCase; a missing key has its default."""


class PatternMatch(_Part, frozen=True):
    """`matchType: PATTERN`."""

    patterns: list[str] = []
    exclude_keywords: list[str] = []


class RegexMatch(_Part, frozen=True):
    """`matchType: REGEX`."""

    regex_text: str = ""
    exclude_keywords: list[str] = []


class ValueMatch(_Part, frozen=True):
    """`matchType: EVAL_OPTION` and `EXACT_VALUE`."""

    value: str = ""


class IntentMatch(_Part, frozen=True):
    """`matchType: INTENT`, as it may be spelled: no export seen has one."""

    intent_id: str | None = None
    id: str | None = None
    intent_name: str | None = None
    name: str | None = None
    value: str | None = None


class NoMatch(_Part, frozen=True):
    """`matchType: NO_MATCH`."""

    fallback_message: str | None = None


class StatusMatch(_Part, frozen=True):
    """`matchType: API_RESULT` and `KB_MATCH`."""

    status: str = ""


class Condition(_Part, frozen=True):
    """The main condition of a rule, with the spellings it may have (`shared.bot.conditions`)."""

    match_type: str
    pattern_match: PatternMatch | None = None
    regex_match: RegexMatch | None = None
    evaluate_option_match: ValueMatch | None = None
    eval_option_match: ValueMatch | None = None
    exact_value_match: ValueMatch | None = None
    exact_match: ValueMatch | None = None
    intent_match: IntentMatch | None = None
    response_intent_match: IntentMatch | None = None
    no_match: NoMatch | None = None
    api_results_match: StatusMatch | None = None
    api_result_match: StatusMatch | None = None
    kb_result_match: StatusMatch | None = None
    kb_match: StatusMatch | None = None


class ContextCondition(_Part, frozen=True):
    """A condition on a variable."""

    match_type: str
    context_name: str = ""
    value: str | None = None


class Action(_Part, frozen=True):
    """Where a rule leads: `name` says whether `value` is an interaction (or a word) or a dialog."""

    name: str = "INTERACTION"
    value: str = "next"


class ContextVariable(_Part, frozen=True):
    """A variable a rule sets when it fires."""

    name: str = ""
    value: str | None = None
    scope: str = "SESSION"


class ResponseMatch(_Part, frozen=True):
    """A rule; without conditions it is the default next action."""

    name: str = ""
    conditions: list[Condition] = []
    context_conditions: list[ContextCondition] = []
    context_match_condition_type: str = "ANY"
    action: Action = Action()
    context_data_variables: list[ContextVariable] = []
