"""What is found in patterns, expressions and intents."""

import pytest

from tests.unit.check.findings import found, found_of, report
from tests.unit.dialog.bots import dialog, finds, go, question, says, sets, starter, text

INTENT = "0f6d4c0e"


@pytest.mark.parametrize("pattern", ["(yes|no", "yes)", "a)b("])
def test_a_bracket_without_a_partner_is_named(pattern: str) -> None:
    shop = dialog("Shop", starter("hi", name="door"), question("ask", "", go("next", when=says(pattern))))
    assert found(shop) == [("unpaired-bracket", "Shop / ask")]
    assert found(dialog("Shop", starter(pattern, name="door"))) == [("unpaired-bracket", "Shop / door")]


@pytest.mark.parametrize("expression", ["(", "[a-", "*a", "a{2,1}"])
def test_an_expression_that_cannot_be_compiled_is_an_error(expression: str) -> None:
    shop = dialog("Shop", starter("hi"), question("ask", "", go("next", when=finds(expression))))
    (finding,) = report(shop).findings
    assert (finding.code, finding.level, finding.place) == ("bad-regex", "error", "Shop / ask")


@pytest.mark.parametrize("expression", ["[a-z&&[^b]]", "a++", "(?i)yes", r"\p{Lu}", r"(?<n>a)"])
def test_expressions_of_java_that_can_be_compiled_are_not_named(expression: str) -> None:
    assert found(dialog("Shop", starter("hi"), question("ask", "", go("next", when=finds(expression))))) == []


@pytest.mark.parametrize(("first", "second"), [("help", "Help "), ("*help*", "*HELP*"), ("(hi|hey)*", "hi there")])
def test_a_pattern_that_an_earlier_dialog_always_takes_is_named(first: str, second: str) -> None:
    bot = (dialog("A", starter(first, name="one")), dialog("B", starter(second, name="two"), text("x")))
    assert found(*bot) == [("hidden-pattern", "B / two")]


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (("SURVEY_DIALOG", "DIALOG"), [("hidden-pattern", "B / two")]),
        (("DIALOG", "SURVEY_DIALOG"), [("hidden-pattern", "B / two")]),
        (("FALLBACK_DIALOG", "DIALOG"), []),
        (("DIALOG", "AUTO_ESCALATION_DIALOG"), []),
    ],
)
def test_only_dialogs_that_words_can_start_hide_each_other(
    kinds: tuple[str, str], expected: list[tuple[str, str]]
) -> None:
    first, second = kinds
    bot = (
        dialog("A", starter("help", name="one"), text("y"), kind=first),
        dialog("B", starter("help", name="two"), text("x"), kind=second),
    )
    assert found(*bot) == expected


@pytest.mark.parametrize(
    ("first", "second"), [("help", "*help*"), ("help me", "help"), ("*help*", "*me*"), ("a", "(a|b)")]
)
def test_patterns_that_only_overlap_are_not_named(first: str, second: str) -> None:
    assert found(dialog("A", starter(first, name="one")), dialog("B", starter(second, name="two"))) == []


def test_excluded_words_leave_something_for_later_starters() -> None:
    bot = (dialog("A", starter("*help*", name="one", exclude=("me",))), dialog("B", starter("*help*", name="two")))
    assert found(*bot) == []


def test_disabled_dialogs_hide_nothing() -> None:
    bot = (dialog("A", starter("help", name="one"), status="DISABLED"), dialog("B", starter("help", name="two")))
    assert found(*bot) == []


@pytest.mark.parametrize("key", [INTENT, "track order", "Track my order"])
def test_an_intent_may_have_its_phrases_under_its_id_or_its_names(key: str) -> None:
    shop = dialog("Shop", starter(name="door", intentId=INTENT))
    described = [{"id": INTENT, "name": "track order", "displayName": "Track my order"}]
    assert found_of("intent-without-phrases", shop, described=described) == ["Shop / door"]
    manifest = f'[intents."{key}"]\nphrases = ["where is my parcel", "track my order"]'
    assert found_of("intent-without-phrases", shop, described=described, manifest=manifest) == []


def test_a_slot_needs_its_entity_in_the_manifest() -> None:
    shop = dialog("Shop", starter("hi"), question("size", "", go("next", sets("size", "@SIZE"), when=says("*"))))
    assert found_of("slot-without-entity", shop) == ["Shop / size"]
    assert found_of("slot-without-entity", shop, manifest='[entities.SIZE]\nvalues = ["small~10"]') == []


def test_an_intent_the_export_does_not_describe_is_named_by_its_id() -> None:
    (finding,) = report(dialog("Shop", starter(name="door", intentId=INTENT))).findings
    assert INTENT in finding.note
