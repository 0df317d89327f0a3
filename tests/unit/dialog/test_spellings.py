"""Conditions and operators in spellings no export shows (CB: reference/dialogs.md 1.5, 3.3)."""

import pytest

from tests.unit.dialog.bots import Part, bot, call, dialog, go, holds, integration, intent, question, starter, text
from tests.unit.dialog.talk import Talk
from tests.unit.dialog.understood import understood

VALUE = {"value": "blue"}


@pytest.mark.parametrize(
    "condition",
    [
        {"matchType": "EXACT_VALUE", "exactValueMatch": VALUE},
        {"matchType": "EXACT", "exactMatch": VALUE},
        {"matchType": "exact match", "exactMatch": VALUE},
        {"matchType": "EVALUATE_OPTION", "evaluateOptionMatch": VALUE},
        {"matchType": "EVAL_OPTIONS", "evalOptionMatch": VALUE},
        {"matchType": "Regular Expression", "regexMatch": {"regexText": "^blue$"}},
        {"matchType": "PATTERNS", "patternMatch": {"patterns": ["bl*"]}},
        {"matchType": "INTENT", "intentMatch": {"intentId": "id of colour"}},
        {"matchType": "RESPONSE_INTENT", "responseIntentMatch": {"name": "colour"}},
        {"matchType": "INTENT_MATCH", "intentMatch": {"value": "Colour"}},
        {"matchType": "NOMATCH"},
    ],
)
def test_a_condition_is_read_in_whatever_spelling(condition: Part) -> None:
    made = dialog("Shop", starter("shop"), question("q", "", go("yes", when=condition)), text("no"), text("yes"))
    talk = Talk(bot(made, intents=(intent("colour"),), manifest="[intents.colour]\nphrases = ['blue']"))
    assert talk.bot.findings == ()
    talk.say("shop")
    assert talk.say("blue", understood=understood({"colour": 0.9})) == ["yes"]


@pytest.mark.parametrize("key", ["apiResultsMatch", "apiResultMatch"])
def test_the_result_of_a_call_is_read_in_whatever_spelling(key: str) -> None:
    rules = (go("yes", when={"matchType": "API_RESULTS", key: {"status": "success"}}), go("next"))
    made = dialog("Shop", starter("shop"), call("c", "Store", *rules), text("no", then="none"), text("yes"))
    talk = Talk(bot(made, integrations=(integration("Store"),)))
    talk.say("shop")
    assert talk.answer(200, {}) == ["yes"]


@pytest.mark.parametrize(
    ("name", "operator", "value", "holding"),
    [
        ("colour", "contains", "lu", True),
        ("colour", "doesNotContain", "red", True),
        ("colour", "DOES_NOT_CONTAIN", "lu", False),
        ("colour", "Equals", "BLUE", True),
        ("colour", "is equal to", "blue", True),
        ("colour", "==", "blue", True),
        ("colour", "!=", "blue", False),
        ("colour", "NOT_EQUAL_TO", "red", True),
        ("code", "EQUALS", "7", False),
        ("colour", "STARTS_WITH", "bl", True),
        ("colour", "ENDS_WITH", "bl", False),
        ("count", ">", "9", True),
        ("count", "GREATER_THAN_OR_EQUAL_TO", "10", True),
        ("count", ">=", "11", False),
        ("count", "lessThan", "11", True),
        ("count", "LESS_THAN_OR_EQUALS", "9", False),
        ("count", "<=", "10", True),
        ("colour", "GREATER_THAN", "1", False),
        ("colour", "LESS_THAN", "1", False),
        ("missing", "NOT_EXISTS", "", True),
        ("missing", "IS_SET", "", False),
        ("missing", "IS_EMPTY", "", True),
        ("colour", "IS_NOT_EMPTY", "", True),
    ],
)
def test_an_operator_is_read_in_whatever_spelling(name: str, operator: str, value: str, holding: bool) -> None:
    rule = go("yes", holds(name, operator, value))
    made = dialog("Shop", starter("shop"), question("q", "", rule, go("next")), text("no", then="none"), text("yes"))
    talk = Talk(bot(made))
    talk.say("shop")
    assert talk.session is not None
    talk.session.session.update({"colour": "Blue", "count": "10", "code": "007"})
    assert talk.say("x") == (["yes"] if holding else ["no"])


def test_a_rule_with_only_conditions_on_variables_comes_before_the_default_wherever_it_stands() -> None:
    rules = (go("next"), go("yes", holds("{$userMessage}", "CONTAINS", "blue")))
    made = dialog("Shop", starter("shop"), question("q", "", *rules), text("no", then="none"), text("yes"))
    talk = Talk(bot(made))
    talk.say("shop")
    assert talk.say("dark blue") == ["yes"]
