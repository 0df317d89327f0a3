"""What was understood of the consumer's text (CB: reference/scripting.md 1.6)."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.dialog.events import Entity
from shared.dialog.scripts import Log, Warn

Scene = Callable[..., Any]

ENTITIES = [Entity("size", "little", "10"), Entity("colour", "red", "red"), Entity("size", "big", "30")]


def test_get_dialog_starter_intent_gives_the_intents_name(scene: Scene) -> None:
    assert scene(starter_intent="order").logs("botContext.getDialogStarterIntent()") == "order"


def test_get_dialog_starter_intent_of_a_dialog_started_by_a_pattern_gives_null(scene: Scene) -> None:
    assert scene().logs("botContext.getDialogStarterIntent() === null") == "true"


def test_get_disambiguated_intent_name_and_id_give_what_the_consumer_chose(scene: Scene) -> None:
    turn = scene(disambiguated_intent_name="order", disambiguated_intent_id="17")
    assert turn.logs("botContext.getDisambiguatedIntentName() + botContext.getDisambiguatedIntentId()") == "order17"
    assert scene().logs("botContext.getDisambiguatedIntentName() === null") == "true"


@pytest.mark.parametrize("name", ["size", "@size", "SIZE"])
def test_get_named_entities_gives_the_entities_of_a_name_in_order(scene: Scene, name: str) -> None:
    turn = scene(entities=ENTITIES)
    assert turn.logs(f"botContext.getNamedEntities('{name}').length") == "2"
    assert turn.logs(f"botContext.getNamedEntities('{name}')[1].getPhrase()") == "big"


def test_an_entity_has_its_phrase_and_its_data_value(scene: Scene) -> None:
    entity = "botContext.getNamedEntities('size')[0]"
    turn = scene(entities=ENTITIES)
    assert turn.logs(f"{entity}.getPhrase() + {entity}.getDataValue()") == "little10"
    assert turn.logs(f"{entity}.phrase + {entity}.dataValue") == "little10"


def test_get_phrase_without_its_brackets_shows_the_phrase(scene: Scene) -> None:
    source = """
    var found = botContext.getNamedEntities('size'), phrases = [];
    for (var j = 0; j < found.length; j++) phrases.push(found[j].getPhrase);
    botContext.setBotVariable('phrases', phrases);
    botContext.sendMessage('I heard ' + phrases);
    """
    variable, said = scene(entities=ENTITIES).run(source).effects
    assert variable.value == ["little", "big"]
    assert said.text == "I heard little,big"


def test_get_named_entities_without_any_gives_null(scene: Scene) -> None:
    assert scene(entities=ENTITIES).logs("botContext.getNamedEntities('place') === null") == "true"


def test_get_nlp_response_gives_words_and_sentences_and_warns(scene: Scene) -> None:
    warning, log = (
        scene(text="Hi there. I'm lost!")
        .run(
            "var r = botContext.getNlpResponse();"
            "botContext.printDebugMessage(JSON.stringify([r.tokens, r.sentences, r.nouns, r.verbs, r.phrases]))"
        )
        .effects
    )
    assert warning == Warn("unsupported-function", "getNlpResponse")
    assert log == Log('[["Hi","there","I\'m","lost"],["Hi there.","I\'m lost!"],[],[],[]]')


def test_get_sentiment_is_neutral_and_warns(scene: Scene) -> None:
    outcome = scene().run("botContext.printDebugMessage(botContext.getSentiment())")
    assert outcome.effects == [Warn("unsupported-function", "getSentiment"), Log("Neutral")]
