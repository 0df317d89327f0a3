"""Starters and rules by intent (CB: reference/dialogs.md 2.3, 2.4; R1)."""

import pytest

from shared.dialog.texts import NOT_UNDERSTOOD
from tests.unit.dialog.bots import Part, bot, dialog, fallback, go, intent, means, question, says, starter, text
from tests.unit.dialog.talk import Talk
from tests.unit.dialog.understood import understood

ORDER, HELP = intent("order", "Ask about an order"), intent("help")
MANIFEST = "[intents.order]\nphrases = ['where is it']\n[intents.help]\nphrases = ['help me']"


def shop(*more: Part) -> Talk:
    """Give a bot whose dialogs start by intent."""
    ordering = dialog("Order", starter(name="s1", intentId="id of order"), text("ordering"))
    helping = dialog("Help", starter("*help!*", name="s2", intentId="id of help"), text("helping"))
    return Talk(bot(ordering, helping, *more, intents=(ORDER, HELP), manifest=MANIFEST))


def test_an_intent_that_is_good_starts_its_dialog() -> None:
    assert shop().say("where is my parcel", understood=understood({"order": 0.7})) == ["ordering"]


def test_an_intent_that_is_only_fair_starts_nothing() -> None:
    assert shop().say("where is my parcel", understood=understood({"order": 0.69})) == [NOT_UNDERSTOOD]
    assert shop(fallback(text("sorry"))).say("parcel", understood=understood({"order": 0.5})) == ["sorry"]


def test_of_several_intents_that_are_good_the_best_starts_its_dialog() -> None:
    assert shop().say("x", understood=understood({"order": 0.8, "help": 0.91})) == ["helping"]
    assert shop().say("x", understood=understood({"order": 0.95, "help": 0.91})) == ["ordering"]


def test_every_pattern_is_tried_before_any_intent() -> None:
    assert shop().say("help! my order", understood=understood({"order": 0.99})) == ["helping"]


@pytest.mark.parametrize("called", ["order", "ORDER ", "id of order", "Ask about an order"])
def test_an_intent_is_known_by_its_name_its_id_and_its_display_name(called: str) -> None:
    assert shop().say("x", understood=understood({called: 0.9})) == ["ordering"]


def test_an_intent_that_the_export_does_not_describe_is_known_by_the_id_it_gives() -> None:
    made = bot(dialog("D", starter(intentId="abc"), text("there")))
    assert Talk(made).say("x", understood=understood({"ABC": 0.9})) == ["there"]


def test_an_excluded_keyword_vetoes_an_intent_too() -> None:
    made = bot(dialog("D", starter(intentId="abc", exclude=("not",)), text("there")))
    assert Talk(made).say("I do not", understood=understood({"abc": 0.9})) == [NOT_UNDERSTOOD]


def test_a_disabled_dialog_is_not_started_by_its_intent() -> None:
    made = bot(dialog("D", starter(intentId="abc"), text("there"), status="DISABLED"))
    assert Talk(made).say("x", understood=understood({"abc": 0.9})) == [NOT_UNDERSTOOD]


def test_scripts_know_the_intent_that_started_the_dialog_until_the_next_message() -> None:
    tell = "botContext.sendMessage(String(botContext.getDialogStarterIntent()))"
    made = bot(
        dialog("D", starter("hi", intentId="id of order"), text("t", pre=tell), question("q"), text("u", pre=tell)),
        intents=(ORDER,),
    )
    talk = Talk(made)
    assert talk.say("x", understood=understood({"order": 0.9})) == ["order", "t", "q"]
    assert talk.say("y") == ["null", "u"]
    assert Talk(made).say("hi", understood=understood({"order": 0.9}))[0] == "null"


def asked(*rules: Part) -> Talk:
    """Give a question with these rules; they lead to `yes` and `no`."""
    made = dialog("Shop", starter("shop"), question("q", "", *rules), text("yes", then="none"), text("no", then="none"))
    talk = Talk(bot(made, intents=(ORDER, HELP), manifest=MANIFEST))
    talk.say("shop")
    return talk


def test_rules_by_intent_come_before_all_others() -> None:
    talk = asked(go("no", when=says("*")), go("no"), go("yes", when=means("id of order")))
    assert talk.say("my parcel", understood=understood({"order": 0.75})) == ["yes"]


def test_a_rule_by_intent_needs_a_good_score() -> None:
    talk = asked(go("yes", when=means("id of order")), go("no"))
    assert talk.say("my parcel", understood=understood({"order": 0.65, "help": 0.8})) == ["no"]


def test_an_intent_rule_of_a_question_comes_before_a_pattern_of_a_starter() -> None:
    helping = dialog("Help", starter("help"), text("helping"))
    rules = (go("yes", when=means("order")),)
    made = dialog("Shop", starter("shop"), question("q", "", *rules), text("yes"))
    talk = Talk(bot(made, helping, intents=(ORDER,)))
    talk.say("shop")
    assert talk.say("help", understood=understood({"order": 0.9})) == ["yes"]


def test_the_message_of_a_form_is_understood_too() -> None:
    talk = shop()
    assert talk.post({}, "parcel?", understood=understood({"order": 0.9})) == ["ordering"]


def test_loading_says_which_intents_nobody_understands() -> None:
    rules = (go("next", when=means("id of order")),)
    made = dialog("Shop", starter(name="s", intentId="id of help"), question("q", "", *rules))
    found = [(one.code, one.place) for one in bot(made, intents=(ORDER, HELP)).findings]
    assert found == [("intent-without-phrases", "Shop / s"), ("intent-without-phrases", "Shop / q")]
    assert bot(made, intents=(ORDER, HELP), manifest=MANIFEST).findings == ()
    by_id = "[intents.'id of order']\nphrases = ['x']\n[intents.'help']\nphrases = ['y']"
    assert bot(made, intents=(ORDER, HELP), manifest=by_id).findings == ()
    endpoint = "[understanding]\nurl = 'https://nlu.example.com/model/parse'"
    assert bot(made, intents=(ORDER, HELP), manifest=endpoint).findings == ()
