"""What the compiler finds, with the level of its code."""

import pytest

from tests.unit.check.findings import Found, report
from tests.unit.dialog.bots import Part, call, dialog, go, holds, interaction, question, says, starter, text

INTENT = "0f6d4c0e"
PHRASES = f'[intents.{INTENT}]\nphrases = ["where is it"]\n[understanding]\nurl = "https://nlu.example.com/parse"'


def levels(*interactions: Part, manifest: str = "") -> Found:
    made = report(dialog("Shop", starter("hi"), *interactions), manifest=manifest)
    return [(one.code, one.level) for one in made.findings if one.place.startswith(("Shop", "manifest"))]


def test_a_rule_that_leads_nowhere_is_an_error() -> None:
    assert levels(question("ask", "", go("nowhere"))) == [("dangling-target", "error")]
    assert levels(question("ask", "", go("dialog:Nowhere"))) == [("dangling-target", "error")]


def test_a_call_of_an_integration_that_is_not_there_is_an_error() -> None:
    assert levels(call("find", "Nothing")) == [("dangling-integration", "error")]


def test_an_unknown_type_of_interaction_is_a_warning() -> None:
    assert levels(interaction("HOLOGRAM", "show", {})) == [("unsupported-interaction", "warning")]


def test_a_rule_of_an_unknown_kind_or_of_two_conditions_is_a_warning() -> None:
    assert levels(question("ask", "", go("next", when={"matchType": "TELEPATHY"}))) == [("unsupported-rule", "warning")]
    both = go("next", when=says("a"), conditions=[says("a"), says("b")])
    assert levels(question("ask", "", both)) == [("unsupported-rule", "warning")]


def test_a_delay_that_is_no_number_is_a_warning() -> None:
    assert levels(text("hello", delay="soon")) == [("bad-delay", "warning")]


def test_an_unknown_key_is_an_info_outside_the_dialogs() -> None:
    (finding,) = report(dialog("Shop", starter("hi"), text("hello", hologram=True))).findings
    assert (finding.code, finding.level) == ("unknown-key", "info")


def test_interactions_that_do_not_hang_together_are_a_warning() -> None:
    shop = dialog("Shop", starter("hi"), text("a"), text("b"))
    shop["messages"][1]["nextMessageId"] = "nowhere"
    codes = {one.code for one in report(shop).findings}
    assert "broken-links" in codes


def test_phrases_beside_an_endpoint_are_a_warning() -> None:
    assert ("unused-phrases", "warning") in levels(text("hello", intentId=INTENT), manifest=PHRASES)


@pytest.mark.parametrize("operator", ["EQUALS", "CONTAINS"])
def test_a_variable_that_only_a_condition_reads_is_checked_as_well(operator: str) -> None:
    rule = go("next", holds("nothing", operator, "x"), when=says("*"))
    assert levels(question("ask", "", rule)) == [("unset-variable", "warning")]
