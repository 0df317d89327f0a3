"""Texts are understood by the phrases of the manifest: misspelt, inflected and said in other words."""

import pytest

from shared.bot.understanding import EntityPart, IntentPart, Understanding
from shared.dialog.events import Intent, Understood
from shared.dialog.matching import FAIR_PLUS, GOOD
from shared.understanding.local import MOST_INTENTS, LocalUnderstander
from tests.bench.intents.candidates import local
from tests.bench.intents.figures import figures, phrases

VERY_GOOD = 0.9


def understander(**intents: list[str]) -> LocalUnderstander:
    parts = {name: IntentPart(tuple(texts)) for name, texts in intents.items()}
    return LocalUnderstander(Understanding(parts))


@pytest.fixture(scope="module")
def desk() -> LocalUnderstander:
    """The service desk of the bench."""
    return understander(**phrases())


def best(understood: Understood) -> Intent:
    return understood.intents[0]


def test_what_the_author_wrote_is_certain_whatever_case_accents_and_punctuation(desk: LocalUnderstander) -> None:
    assert best(desk.understand("Where is my ORDER?!")) == Intent("track order", 1.0)
    assert best(desk.understand("I don\u2019t like it and want to give it back")) == Intent("return item", 1.0)
    assert (
        best(understander(coffee=["un café, s'il vous plaît"]).understand("Un cafe s\u2019il vous plait")).score == 1.0
    )


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("whre is my ordr", "track order"),
        ("cancelling my orders please", "cancel order"),
        ("I can't remember my pasword, reset please", "reset password"),
        ("internet at home is really slow", "slow internet"),
    ],
)
def test_misspelt_and_inflected_words_are_understood(desk: LocalUnderstander, text: str, intent: str) -> None:
    found = best(desk.understand(text))
    assert found.name == intent
    assert found.score >= FAIR_PLUS


@pytest.mark.parametrize("text", ["", "   ", "?!", "...", "\u0301"])
def test_a_text_without_words_means_nothing(desk: LocalUnderstander, text: str) -> None:
    assert desk.understand(text) == Understood()


@pytest.mark.parametrize("text", ["tell me a joke", "what is 17 times 23", "asdfghjkl", "xyzzy " * 2000])
def test_what_no_intent_is_meant_by_is_not_good(desk: LocalUnderstander, text: str) -> None:
    assert all(intent.score < GOOD for intent in desk.understand(text).intents)


def test_intents_come_best_first_and_at_most_ten(desk: LocalUnderstander) -> None:
    intents = desk.understand("can I pay my bill for the internet and cancel my order").intents
    scores = [intent.score for intent in intents]
    assert scores == sorted(scores, reverse=True)
    assert len(intents) == MOST_INTENTS
    assert all(0 < score <= 1 for score in scores)


def test_the_same_text_means_the_same_in_every_understander() -> None:
    one, other = understander(**phrases()), understander(**phrases())
    for text in ("where r my things", "no net", "cancel"):
        assert one.understand(text) == other.understand(text) == one.understand(text)


def test_a_phrase_that_two_intents_share_is_certain_for_both() -> None:
    found = understander(a=["help me", "please assist"], b=["help me", "I need aid"]).understand("help me")
    assert [intent.score for intent in found.intents] == [1.0, 1.0]


def test_few_phrases_are_enough_to_start_with() -> None:
    shop = understander(hours=["when do you open", "opening hours"], track=["where is my order", "track my parcel"])
    assert best(shop.understand("track parcel please")).name == "track"
    assert best(shop.understand("track parcel please")).score >= GOOD
    assert best(shop.understand("your opening hours?")).score >= VERY_GOOD


def test_words_of_any_script_are_compared() -> None:
    shop = understander(order=["где мой заказ", "отследить посылку"], hours=["営業時間を教えて", "何時に開きますか"])
    assert best(shop.understand("где заказ")).name == "order"
    assert best(shop.understand("営業時間は")).name == "hours"


def test_an_entity_in_a_phrase_stands_for_all_its_values() -> None:
    understanding = Understanding(
        {"order pizza": IntentPart(("a @SIZE pizza please",)), "hours": IntentPart(("when do you open",))},
        {"SIZE": EntityPart(("small~10", "extra large~40"))},
    )
    shop = LocalUnderstander(understanding)
    assert best(shop.understand("an extra large pizza please")).score >= VERY_GOOD
    assert best(shop.understand("a small pizza please")) == Intent("order pizza", 1.0)


def test_an_address_in_a_phrase_is_no_entity() -> None:
    shop = understander(mail=["write to info@example.com"])
    assert best(shop.understand("write to info@example.com")).score == 1.0


def test_entities_alone_can_be_understood() -> None:
    found = LocalUnderstander(Understanding(entities={"SIZE": EntityPart(("small~10",))})).understand("a small one")
    assert found.intents == []
    assert [entity.value for entity in found.entities] == ["10"]


def test_the_figures_of_the_documentation_hold() -> None:
    """docs/intents.md says them; only better ones may take their place."""
    found = figures(local(phrases()), GOOD)
    assert found.f1 >= 0.849
    assert found.right >= 124
    assert found.wrong <= 5
    assert found.false <= 9
