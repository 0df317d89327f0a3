"""Which rule of a question fires, and what it sets (R1, R8, R9; CB: reference/dialogs.md 1.5, 2.3, 3)."""

import pytest

from shared.dialog.texts import NOT_UNDERSTOOD
from tests.unit.dialog.bots import (
    Part,
    bot,
    chooses,
    dialog,
    equals,
    finds,
    go,
    holds,
    interaction,
    no_match,
    question,
    says,
    sets,
    starter,
    text,
)
from tests.unit.dialog.talk import Talk


def asked(*rules: Part, **more: str) -> Talk:
    """Give a conversation in which a question with these rules waits; they lead to `yes` and `no`."""
    shop = dialog("Shop", starter("shop"), question("q", "", *rules), text("yes", then="none"), text("no", then="none"))
    talk = Talk(bot(shop, **more))
    assert talk.say("shop") == ["q"]
    return talk


@pytest.mark.parametrize("said", ["Blue", " blue ", "BLUE"])
def test_a_pattern_matches_the_whole_text_whatever_its_case(said: str) -> None:
    assert asked(go("yes", when=says("blue")), go("no")).say(said) == ["yes"]


def test_a_pattern_does_not_match_a_part_of_the_text() -> None:
    assert asked(go("yes", when=says("blue")), go("no")).say("dark blue") == ["no"]


def test_any_of_the_patterns_of_a_rule_is_enough_and_an_excluded_keyword_vetoes() -> None:
    rule = go("yes", when=says("red", "*blue*", exclude=("navy",)))
    assert asked(rule, go("no")).say("dark blue") == ["yes"]
    assert asked(rule, go("no")).say("navy blue") == ["no"]


def test_a_regular_expression_is_searched_anywhere_and_minds_the_case() -> None:
    rule = go("yes", when=finds("Product #: [0-9]"))
    assert asked(rule, go("no")).say("I want Product #: 1234") == ["yes"]
    assert asked(rule, go("no")).say("i want product #: 1234") == ["no"]


@pytest.mark.parametrize(
    ("expression", "text", "found"),
    [
        ("[a-z&&[^aeiou]]", "aei", False),
        ("[a-z&&[^aeiou]]", "xei", True),
        ("(?i)blue", "BLUE", True),
        ("x(?i)blue", "Xblue", False),
        ("\\p{Alpha}++\\d", "ab1", True),
    ],
)
def test_regular_expressions_are_read_as_java_reads_them(expression: str, text: str, found: bool) -> None:
    assert asked(go("yes", when=finds(expression)), go("no")).say(text) == (["yes"] if found else ["no"])


def test_an_excluded_keyword_vetoes_a_regular_expression() -> None:
    assert asked(go("yes", when=finds("[0-9]+", exclude=("cancel",))), go("no")).say("Cancel 12") == ["no"]


def test_a_regular_expression_that_takes_too_long_counts_as_no_match() -> None:
    talk = asked(go("yes", when=finds("^(a|a|aa|b?a)*$")), go("no"))
    assert talk.say("a" * 4000 + "!") == ["no"]
    assert talk.warnings == ["regex-stopped"]


def test_a_regular_expression_that_cannot_be_compiled_never_matches_and_is_found_at_loading() -> None:
    talk = asked(go("yes", when=finds("[")), go("no"))
    assert talk.say("[") == ["no"]
    assert [finding.code for finding in talk.bot.findings] == ["bad-regex"]


def test_an_exact_value_is_equal_after_trimming_whatever_the_case() -> None:
    assert asked(go("yes", when=equals(" Blue")), go("no")).say("bLUE ") == ["yes"]
    assert asked(go("yes", when=equals("blue*")), go("no")).say("blue!") == ["no"]


def test_rules_are_tried_in_list_order_then_the_default_then_no_match() -> None:
    later = (go("no", when=no_match()), go("no", name="default"), go("yes", when=says("a*"), name="a"))
    talk = asked(*later, go("no", when=says("*"), name="any"))
    assert talk.say("apple") == ["yes"]
    assert talk.lines("rule")[0].note == "a"
    talk = asked(go("no", when=no_match(), name="no match"), go("yes", name="default"))
    assert talk.say("anything") == ["yes"]


def test_an_unknown_kind_of_rule_never_matches_and_is_found_at_loading() -> None:
    talk = asked(go("no", when={"matchType": "MOON_PHASE"}), go("yes"))
    assert talk.say("full") == ["yes"]
    assert [finding.code for finding in talk.bot.findings] == ["unsupported-rule"]


@pytest.mark.parametrize(
    ("style", "said"), [("NUMBERS", "2"), ("NUMBERS", "2."), ("LETTERS", "b"), ("LETTERS", "B)"), ("NUMBERS", "Two ")]
)
def test_a_choice_is_made_by_its_text_its_number_or_its_letter(style: str, said: str) -> None:
    choices = {"multipleChoices": ["One", "Two"], "displayChoice": "BUTTON", "textStyle": style}
    rules = (go("one", when=chooses("One")), go("two", when=chooses("Two")))
    mcq = interaction("MULTIPLE_CHOICE_QUESTION", "mcq", {"text": "Pick", "multipleChoice": choices}, rules)
    talk = Talk(bot(dialog("Pick", starter("pick"), mcq, text("one", then="none"), text("two", then="none"))))
    talk.say("pick")
    assert talk.say(said) == ["two"]


def test_a_number_beyond_the_choices_matches_none() -> None:
    choices = {"multipleChoices": ["One"], "displayChoice": "BUTTON", "textStyle": "NUMBERS"}
    rules = (go("one", when=chooses("One")),)
    mcq = interaction("MULTIPLE_CHOICE_QUESTION", "mcq", {"text": "Pick", "multipleChoice": choices}, rules)
    talk = Talk(bot(dialog("Pick", starter("pick"), mcq, text("one"))))
    talk.say("pick")
    assert talk.say("2")[0] == NOT_UNDERSTOOD


@pytest.mark.parametrize(
    ("name", "operator", "value", "holding"),
    [
        ("colour", "CONTAINS", "LU", True),
        ("colour", "CONTAINS", "red", False),
        ("colour", "NOT_CONTAINS", "red", True),
        ("colour", "NOT_CONTAINS", "blue", False),
        ("{$userMessage}", "CONTAINS", "size", True),
        ("colour", "CONTAINS", "{$userMessage}", False),
        ("{$userMessage}", "CONTAINS", "{$botContext.colour}", False),
        ("colour", "EQUALS", "blue", True),
        ("colour", "EQUALS", "other", True),
        ("colour", "NOT_EQUALS", "blue", False),
        ("count", "GREATER_THAN", "9", True),
        ("count", "LESS_THAN", "9", False),
        ("colour", "GREATER_THAN", "9", False),
        ("missing", "EXISTS", "", False),
        ("missing", "NOT_EXISTS", "", True),
        ("colour", "EXISTS", "", True),
        ("missing", "NOT_CONTAINS", "x", True),
        ("missing", "EQUALS", "x", False),
    ],
)
def test_a_condition_on_a_variable_must_hold_too(name: str, operator: str, value: str, holding: bool) -> None:
    talk = asked(go("yes", holds(name, operator, value), when=says("*")), go("no"))
    assert talk.session is not None
    talk.session.session.update({"colour": "Blue", "count": "10", "other": "blue"})
    assert talk.say("size") == (["yes"] if holding else ["no"])


def test_any_condition_on_a_variable_is_enough_unless_all_are_wanted() -> None:
    both = (holds("a", "EQUALS", "1"), holds("b", "EQUALS", "1"))
    sets_a = "botContext.setBotVariable('a', '1', true)"
    for combination, expected in (("ANY", ["yes"]), ("ALL", ["no"])):
        rule = go("yes", *both, when=says("*"), contextMatchConditionType=combination)
        shop = dialog(
            "Shop", starter("shop", pre=sets_a), question("q", "", rule, go("no")), text("yes", then="none"), text("no")
        )
        talk = Talk(bot(shop))
        talk.say("shop")
        assert talk.say("x")[:1] == expected


def test_an_unknown_operator_never_holds_and_is_traced() -> None:
    talk = asked(go("yes", holds("a", "RHYMES_WITH", "b"), when=says("*")), go("no"))
    assert talk.say("x") == ["no"]
    assert talk.warnings == ["unsupported-rule"]


def test_a_rule_sets_variables_in_its_scopes_before_the_flow_goes_on() -> None:
    values = (
        sets("who", "{$userMessage}"),
        sets("both", "{$botContext.who}!"),
        sets("copy", "who"),
        sets("word", "plain"),
    )
    shop = dialog("Shop", starter("shop"), question("q", "", go("next", *values)), text("said", "{$botContext.both}"))
    talk = Talk(bot(shop))
    talk.say("shop")
    assert talk.say("Ann") == ["Ann!"]
    assert talk.turn.session.session == {"who": "Ann", "both": "Ann!", "copy": "Ann", "word": "plain"}


def test_only_the_rule_that_fires_sets_its_variables() -> None:
    talk = asked(go("no", sets("a", "1"), when=says("x")), go("yes", sets("b", "2")))
    talk.say("y")
    assert talk.turn.session.session == {"b": "2"}


def test_a_no_match_message_is_a_template_and_may_be_silent() -> None:
    assert asked(go("yes", when=no_match("Not {$userMessage}"))).say("blue") == ["Not blue", "yes"]
    assert asked(go("yes", when=no_match("BLANK_MESSAGE"))).say("blue") == ["yes"]


def test_a_rule_that_leads_to_a_dialog_enters_it_at_its_first_interaction() -> None:
    shop = dialog("Shop", starter("shop"), question("q", "", go("dialog:Other")))
    talk = Talk(bot(shop, dialog("Other", starter("unused"), text("there", then="none"))))
    talk.say("shop")
    assert talk.say("x") == ["there"]


@pytest.mark.parametrize(("word", "survey"), [("close_dialog", True), ("close_conversation", False)])
def test_a_rule_closes_the_conversation_with_or_without_a_survey(word: str, survey: bool) -> None:
    talk = Talk(bot(dialog("Bye", starter("bye"), text("goodbye", then=word))))
    assert talk.say("bye") == ["goodbye"]
    assert [effect.survey for effect in talk.turn.effects if hasattr(effect, "survey")] == [survey]
    assert talk.turn.session.position.stack == []
    assert talk.say("more") == []


def test_a_rule_that_leads_nowhere_is_traced_takes_the_next_action_and_is_found_at_loading() -> None:
    talk = asked(go("nowhere"))
    assert talk.say("x") == ["yes"]
    assert talk.warnings == ["unknown-interaction"]
    assert [(finding.code, finding.place) for finding in talk.bot.findings] == [("dangling-target", "Shop / q")]


def test_rules_by_expressions_that_take_too_long_are_given_up_after_ten() -> None:
    slow = [go("yes", when=finds("^(a|a|aa|b?a)*$")) for _ in range(12)]
    talk = asked(*slow, go("no", when=says("*")))
    assert talk.say("a" * 4000 + "!") == ["no"]
    assert talk.warnings == ["regex-stopped"] * 12
    assert [line.note for line in talk.lines("regex-stopped")][10].endswith("too many were stopped before it")
    talk.say("shop")
    talk.say("b")
    assert talk.warnings == []
