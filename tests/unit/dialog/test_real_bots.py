"""The nine real bots, each to its end (their words stay in their files: interactions are referred to by name)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shared.bot.bot import compile_bot
from shared.bot.model_rules import PatternCondition
from shared.bot.source import read_bot
from shared.dialog.effects import Close, Transfer
from shared.dialog.session import Session
from tests.unit.dialog.talk import Talk

Talking = Callable[..., Talk]
NAMES = (
    "dynamic-buttons",
    "get-bot-patterns",
    "go-back",
    "gpt3-character",
    "instagram-starter",
    "qr-sms",
    "text-only-results",
    "top-level-key",
    "universal-tile-demo",
)


@pytest.fixture
def with_bot(corpus: Path) -> Talking:
    """Start a conversation with a bot of the corpus."""

    def start(name: str, **about: Any) -> Talk:
        return Talk(compile_bot(read_bot(corpus / f"{name}.json")), **about)

    return start


def ran(talk: Talk) -> list[str]:
    """Name the interactions that ran in the last turn, starters aside."""
    return [line.interaction for line in talk.lines("interaction") if line.note != "DIALOG_STARTER"]


def words(talk: Talk, name: str) -> str:
    """Give the text of an interaction as its author wrote it."""
    return talk.bot.interactions[talk.bot.names[name]].text.source


def choices(talk: Talk, name: str) -> list[str]:
    """Give the choices of a question as its author wrote them."""
    return [choice.source for choice in talk.bot.interactions[talk.bot.names[name]].choices]


def said_to(talk: Talk, name: str, rule: int = 0) -> str:
    """Give the first pattern of a question's rule."""
    condition = talk.bot.interactions[talk.bot.names[name]].rules[rule].condition
    assert isinstance(condition, PatternCondition)
    return condition.patterns[0].source


def store(number: int) -> dict[str, Any]:
    keys = (
        "id",
        "city",
        "weekdayHours",
        "weekendHours",
        "mapImage",
        "address",
        "state",
        "zip",
        "googleMapLink",
        "name",
    )
    return {key: f"{key}-{number}" for key in keys}


@pytest.mark.parametrize("name", NAMES)
def test_it_loads_without_findings_but_for_intents_nobody_understands(with_bot: Talking, name: str) -> None:
    expected = ["intent-without-phrases"] * (3 if name == "get-bot-patterns" else 0)
    assert [finding.code for finding in with_bot(name).bot.findings] == expected


@pytest.mark.parametrize("name", NAMES)
def test_it_answers_its_greeting_and_nonsense(with_bot: Talking, name: str) -> None:
    talk = with_bot(name, customer_info={"imei": "1", "ctype": "DirectMessage"})
    for said in (talk.bot.greeting, "xyzzy plugh", "xyzzy plugh"):
        talk.say(said)
        assert ran(talk)


def test_text_only_results_shows_cards(with_bot: Talking) -> None:
    talk = with_bot("text-only-results")
    talk.say("hi")
    assert ran(talk) == ["text_message", "api_integration_4"]
    talk.answer(200, {"stores": [store(n) for n in range(3)]})
    assert talk.question == "multiple_choice_question_5"
    talk.say(choices(talk, "multiple_choice_question_5")[1])
    (carousel,) = talk.contents()
    assert [len(carousel["elements"]), carousel["type"]] == [3, "carousel"]
    assert "city-1" in str(carousel["elements"][1])
    assert talk.question == "display stores"
    talk.say("thanks")
    assert talk.turn.session.position.stack == []


@pytest.mark.parametrize(
    ("said", "shown"), [("B", "store details"), ("city-0", "store details"), ("Atlantis", "selection fail")]
)
def test_text_only_results_lists_stores_and_takes_a_letter_or_a_name(with_bot: Talking, said: str, shown: str) -> None:
    talk = with_bot("text-only-results")
    talk.say("hi")
    talk.answer(200, {"stores": [store(0), store(1)]})
    talk.say(choices(talk, "multiple_choice_question_5")[0])
    assert talk.question == "text only display stores"
    assert "A) city-0\nB) city-1" in talk.texts[0]
    talk.say(said)
    assert ran(talk)[0] == shown
    assert talk.warnings == []


def test_top_level_key_shows_a_card_a_store(with_bot: Talking) -> None:
    talk = with_bot("top-level-key")
    talk.say("hi")
    talk.answer(200, [store(0), store(1)])
    assert ran(talk) == ["structured_5"]
    assert len(talk.contents()[0]["elements"]) == 2
    assert "script-failed" not in talk.warnings


def test_dynamic_buttons_asks_for_a_number_and_makes_as_many(with_bot: Talking) -> None:
    talk = with_bot("dynamic-buttons")
    talk.say("hello")
    assert talk.question == "how_many_buttons?"
    talk.say("many")
    assert talk.question == "how_many_buttons?"
    talk.say("3")
    assert talk.call is not None
    assert "3" in [str(value) for value in talk.call.values.values()]
    talk.answer(200, {"buttons": [{"label": f"L{n}", "payload": f"P{n}"} for n in range(3)]})
    titles = [element.get("title") for element in talk.contents()[0]["elements"]]
    assert titles[1:] == ["L0", "L1", "L2"]
    talk.say("P1")
    assert talk.question == "retry"


def test_go_back_leaves_a_pending_question_for_a_starter_and_returns(with_bot: Talking) -> None:
    talk = with_bot("go-back")
    talk.say("hi")
    assert talk.question == "text_question_5"
    talk.say(said_to(talk, "text_question_5"))
    assert talk.question == "quick_reply_7"
    talk.say(said_to(talk, "quick_reply_7"))
    assert talk.question == "text_question_8"
    talk.say("please go back")
    assert "text_5" in ran(talk)
    assert talk.question == "quick_reply_7"
    assert talk.warnings == []
    talk.say(said_to(talk, "quick_reply_7"))
    talk.say(said_to(talk, "text_question_8"))
    assert ran(talk) == ["text_9"]
    assert talk.turn.effects[-1] == Close(survey=True)


@pytest.mark.parametrize(
    ("entry", "shown"),
    [("DirectMessage", ["DirectMessage"]), ("StoryMention", ["StoryMention"]), ("Nowhere", []), (None, [])],
)
def test_instagram_starter_routes_by_the_customer_without_any_starter(
    with_bot: Talking, entry: str | None, shown: list[str]
) -> None:
    talk = with_bot("instagram-starter", customer_info={"ctype": entry})
    talk.say("anything")
    assert ran(talk) == ["Route to entry point message", *shown]
    assert talk.warnings == ([] if shown else ["unknown-interaction"])


def test_instagram_starter_survives_an_unknown_customer(with_bot: Talking) -> None:
    talk = with_bot("instagram-starter")
    talk.say("anything")
    assert talk.warnings == ["script-failed"]


def test_gpt3_character_remembers_the_conversation_in_its_context(with_bot: Talking) -> None:
    talk = with_bot("gpt3-character")
    talk.say("channel")
    assert talk.question == "collect character name"
    talk.say("Ada")
    assert talk.question == "collect user input"
    talk.say("How are you?")
    assert talk.call is not None
    assert "Hi Ada!" in str(talk.call.values)
    talk.answer(200, {"choices": [{"text": "Splendid."}]})
    assert talk.texts == ["Splendid."]
    assert talk.context["conversation|gpt3_char"]["character"] == "Ada"
    assert "Splendid." in talk.context["conversation|gpt3_char"]["chat_history"]
    talk.say("More?")
    assert talk.call is not None
    assert "Splendid." in str(talk.call.values)
    talk.fail()
    assert talk.question == "chat with GPT3"


def test_qr_sms_thanks_and_keeps_the_number(with_bot: Talking) -> None:
    talk = with_bot("qr-sms", customer_info={"imei": "491701"})
    pattern = talk.bot.interactions[talk.bot.names["Starter"]].patterns[0]
    assert talk.say(pattern.source.upper()) == [words(talk, "Thanks and Collect Number")]
    assert talk.context["global|phoneNumbers"] == {"491701": True}
    assert talk.turn.effects[-1] == Close(survey=True)


@pytest.mark.parametrize(("said", "shown"), [("stop", "text_8"), ("TIX", "text_6"), ("help", "text_question_11")])
def test_qr_sms_knows_its_keywords_in_any_case(with_bot: Talking, said: str, shown: str) -> None:
    talk = with_bot("qr-sms")
    talk.say(said)
    assert ran(talk) == [shown]


def test_get_bot_patterns_transfers_to_a_person(with_bot: Talking) -> None:
    talk = with_bot("get-bot-patterns")
    talk.say("real person")
    (effect,) = talk.turn.effects
    assert isinstance(effect, Transfer)
    assert effect.skill_id is not None
    assert effect.skill_id.isdigit()


def test_get_bot_patterns_plays_its_quiz_and_leads_to_a_dialog(with_bot: Talking) -> None:
    talk = with_bot("get-bot-patterns")
    talk.say("quiz me")
    assert talk.call is not None
    talk.answer(
        200, [{"id": 1, "answer": "Rome", "question": "Which city?", "value": 100, "category": {"title": "cities"}}]
    )
    assert talk.question == "text_question13"
    assert "script-failed" not in talk.warnings
    talk.say("rome")
    assert ran(talk)[0] == "text_22"
    assert talk.question == "quick_reply_23"
    talk.say("hi")
    assert talk.question == "quick_reply_21"


def test_universal_tile_demo_reaches_every_tile_from_its_menus(with_bot: Talking) -> None:
    talk = with_bot("universal-tile-demo")
    menus = [one for one in talk.bot.interactions.values() if one.kind == "MULTIPLE_CHOICE_QUESTION"]
    shown = set()
    for menu in menus:
        for choice in menu.choices:
            talk = with_bot("universal-tile-demo")
            talk.say("hi")
            talk.session = _at(talk, menu.id)
            talk.say(choice.source)
            assert "no-match" not in [line.code for line in talk.turn.trace], choice.source
            assert "invalid-content" not in talk.warnings
            shown |= {one for one in ran(talk) if talk.bot.interactions[talk.bot.names[one]].kind == "UNIVERSAL"}
    assert len(shown) >= 15


def _at(talk: Talk, question: str) -> Session:

    assert talk.session is not None
    position = msgspec.structs.replace(talk.session.position, question=question)
    return msgspec.structs.replace(talk.session, position=position)
