"""Asking which of several likely intents is meant (CB: reference/dialogs.md 2.12)."""

from typing import Any

import pytest

from shared.dialog.texts import NOT_AN_OPTION, NOT_UNDERSTOOD
from tests.unit.dialog.bots import Part, bot, dialog, fallback, go, intent, interaction, question, says, starter, text
from tests.unit.dialog.talk import Talk
from tests.unit.dialog.understood import understood

INTENTS = tuple(intent(name, f"About {name}") for name in ("orders", "returns", "stores", "jobs"))
TORN = understood({"orders": 0.6, "returns": 0.55})


def which(*rules: Part, widget: Part | None = None, **more: Any) -> Part:
    """Return a disambiguation dialog."""
    tile: Part = {"text": "Which one?", "disambiguationWidget": widget}
    ask = interaction("DISAMBIGUATION_QUESTION", "which", tile, rules, **more)
    return dialog("Which", ask, kind="DISAMBIGUATION_DIALOG")


def torn(*dialogs: Part, manifest: str = "", ask: Part | None = None) -> Talk:
    """Give a bot that has to ask which intent is meant; `jobs` starts no dialog."""
    topics = [
        dialog(name, starter(intentId=f"id of {name}", name=f"s {name}"), text(f"{name}!"))
        for name in ("orders", "returns", "stores")
    ]
    return Talk(bot(ask or which(), *topics, *dialogs, intents=INTENTS, manifest=manifest))


def options(talk: Talk) -> list[str]:
    (card,) = talk.contents()
    return [one["title"] for one in card["elements"] if one["type"] == "button"]


def test_several_likely_intents_are_offered_by_their_display_names() -> None:
    talk = torn()
    assert talk.say("parcel", understood=TORN) == ["<rich>"]
    assert options(talk) == ["About orders", "About returns"]
    assert talk.question == "which"


@pytest.mark.parametrize("said", ["About returns", "about RETURNS ", "returns", "2"])
def test_the_intent_that_is_picked_starts_its_dialog(said: str) -> None:
    talk = torn()
    talk.say("parcel", understood=TORN)
    assert talk.say(said) == ["returns!"]
    assert talk.turn.session.position.stack == []


def test_a_good_intent_or_a_single_fair_one_is_not_asked_about() -> None:
    assert torn().say("x", understood=understood({"orders": 0.7, "returns": 0.65})) == ["orders!"]
    assert torn().say("x", understood=understood({"orders": 0.69, "returns": 0.49})) == [NOT_UNDERSTOOD]


def test_a_pattern_is_never_asked_about() -> None:
    assert torn(dialog("P", starter("par*"), text("by pattern"))).say("parcel", understood=TORN) == ["by pattern"]


def test_without_a_disambiguation_dialog_fair_intents_start_nothing() -> None:
    topic = dialog("orders", starter(intentId="id of orders"), text("orders!"))
    assert Talk(bot(topic, fallback(text("sorry")), intents=INTENTS)).say("x", understood=TORN) == ["sorry"]


def test_at_most_three_intents_are_offered_and_two_if_the_export_says_so() -> None:
    four = understood({"orders": 0.6, "returns": 0.59, "stores": 0.58, "jobs": 0.57})
    talk = torn()
    talk.say("x", understood=four)
    assert options(talk) == ["About orders", "About returns", "About stores"]
    talk = torn(ask=which(widget={"numberOfIntents": 2}))
    talk.say("x", understood=four)
    assert options(talk) == ["About orders", "About returns"]


def test_only_intents_that_start_a_dialog_are_offered_if_the_manifest_wants_that() -> None:
    manifest = "[environment]\nsystem_useIntentsOnlyWithDialogStartersInDisambiguation = true"
    talk = torn(manifest=manifest)
    talk.say("x", understood=understood({"jobs": 0.6, "orders": 0.6, "returns": 0.55}))
    assert options(talk) == ["About orders", "About returns"]
    assert torn(manifest=manifest).say("x", understood=understood({"jobs": 0.6, "orders": 0.6})) == [NOT_UNDERSTOOD]


def test_an_intent_without_a_dialog_leads_to_the_fallback() -> None:
    talk = torn(fallback(text("sorry")))
    talk.say("x", understood=understood({"orders": 0.6, "jobs": 0.55}))
    assert talk.say("About jobs") == ["sorry"]
    talk = torn()
    talk.say("x", understood=understood({"orders": 0.6, "jobs": 0.55}))
    assert talk.say("About jobs") == [NOT_UNDERSTOOD]
    assert talk.question is None


def test_what_was_not_offered_is_said_to_be_no_option_and_starts_nothing_else() -> None:
    none = [{"type": "text", "title": "None of the above"}]
    talk = torn(dialog("P", starter("hello"), text("by pattern")), ask=which(quickReplies=none))
    talk.say("parcel", understood=TORN)
    assert options(talk) == ["About orders", "About returns", "None of the above"]
    assert talk.say("None of the above") == [NOT_AN_OPTION, "<rich>"]
    assert talk.say("hello") == [NOT_AN_OPTION, "<rich>"]
    assert talk.say("About orders") == ["orders!"]


def test_a_rule_of_the_disambiguation_comes_before_the_dialog_of_an_intent() -> None:
    rules = (go("fine", when=says("None*")), go("mine", when=says("*orders")), go("next"))
    other = dialog("Other", text("fine", then="none"), text("mine", then="none"))
    talk = torn(other, ask=which(*rules))
    talk.say("parcel", understood=TORN)
    assert talk.say("None of these") == ["fine"]
    talk.say("parcel", understood=TORN)
    assert talk.say("About orders") == ["mine"]


def test_scripts_know_which_intent_was_chosen() -> None:
    tell = (
        "botContext.sendMessage(botContext.getDisambiguatedIntentName() + '/' + botContext.getDisambiguatedIntentId())"
    )
    ask = which(pre=tell, response=tell)
    talk = torn(ask=ask)
    assert talk.say("parcel", understood=TORN) == ["null/null", "<rich>"]
    assert talk.say("About orders") == ["orders/id of orders", "orders!"]


def test_a_question_that_was_interrupted_is_asked_again_after_the_chosen_dialog() -> None:
    shop = dialog("Shop", starter("shop"), question("size?", "", go("next", when=says("small"))), text("thanks"))
    talk = torn(shop)
    talk.say("shop")
    assert talk.say("parcel", understood=TORN) == ["<rich>"]
    assert talk.say("About orders") == ["orders!", "size?"]
    assert talk.say("small") == ["thanks"]
