"""The nine real bots, message by message, through gateway, mailbox, workers, turn processes and back."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.journeys.conftest import STORES
from tests.journeys.consumer import Consumer, Words, texts
from tests.journeys.system import LoopbackApi

Bot = Callable[[str], Words]
Meet = Callable[..., Consumer]


async def test_text_only_results_shows_stores_as_cards(words: Bot, meet: Meet) -> None:
    bot = words("text-only-results")
    async with meet(bot) as consumer:
        await consumer.say("hi")
        await consumer.hears(bot.text("text_message"))
        question = await consumer.hears_rich()
        assert texts(question) == [bot.text("multiple_choice_question_5"), *bot.choices("multiple_choice_question_5")]
        await consumer.say("Structured content")
        carousel = await consumer.hears_rich()
        assert carousel["type"] == "carousel"
        for store, card in zip(STORES, carousel["elements"], strict=True):
            assert store["city"] in " ".join(texts(card))
        assert carousel["elements"][2]["elements"][0]["url"] == STORES[2]["mapImage"]
        await consumer.say("anything")  # the cards are a question whose only rule ends the interaction
        await consumer.say("no idea")
        await consumer.hears(bot.text("fallback_starter"))


async def test_text_only_results_lets_the_consumer_choose_by_letter(words: Bot, meet: Meet) -> None:
    bot = words("text-only-results")
    async with meet(bot) as consumer:
        await consumer.say("hello")
        await consumer.hears(bot.text("text_message"))
        await consumer.hears_rich()
        await consumer.say("text only")
        options = "".join(f"{letter}) {store['city']}\n" for letter, store in zip("ABC", STORES, strict=True))
        await consumer.hears(bot.text("text only display stores", storeOptions=options))
        await consumer.say("b")
        chosen = {
            "selectedAddress": STORES[1]["address"],
            "selectedCity": STORES[1]["city"],
            "selectedWeekdayHours": STORES[1]["weekdayHours"],
            "selectedWeekendHours": STORES[1]["weekendHours"],
            "selectedGoogleMapLink": STORES[1]["googleMapLink"],
        }
        await consumer.hears(bot.text("store details", **{name: str(value) for name, value in chosen.items()}))


async def test_text_only_results_is_redirected_by_process_user_response(words: Bot, meet: Meet) -> None:
    bot = words("text-only-results")
    async with meet(bot) as consumer:
        await consumer.say("howdy")
        await consumer.hears(bot.text("text_message"))
        await consumer.hears_rich()
        await consumer.say("Text only")
        await consumer.next()
        await consumer.say("none of these")
        await consumer.hears(bot.text("selection fail"))


async def test_top_level_key_shows_one_card_per_store(words: Bot, meet: Meet) -> None:
    bot = words("top-level-key")
    async with meet(bot) as consumer:
        await consumer.say("hi")
        await consumer.hears(bot.text("text_message"))
        carousel = await consumer.hears_rich()
        assert [texts(card)[0] for card in carousel["elements"]] == [store["city"] for store in STORES]
        await consumer.say("thanks")
        await consumer.say("nonsense")
        await consumer.hears(bot.text("fallback_starter"))


async def test_dynamic_buttons_puts_the_number_into_the_address(words: Bot, meet: Meet, api: LoopbackApi) -> None:
    bot = words("dynamic-buttons")
    async with meet(bot) as consumer:
        await consumer.say("hi")
        await consumer.hears(bot.text("welcome_message"))
        await consumer.hears(bot.text("how_many_buttons?"))
        await consumer.say("nine")
        await consumer.hears(bot.no_match("how_many_buttons?"))
        await consumer.hears(bot.text("how_many_buttons?"))
        await consumer.say("3")
        card = await consumer.hears_rich()
        assert [element["title"] for element in card["elements"][1:]] == ["Button 1", "Button 2", "Button 3"]
        assert ("GET", "/dynamic-button-demo/3") in [(method, path) for method, path, _, _ in api.requests]
        await consumer.say("pressed 2")
        again = await consumer.next()
        assert again["text"] == bot.text("retry")
        assert [reply["title"] for reply in again["quickReplies"]["replies"]] == ["Yes", "No"]
        await consumer.say("No")
        await consumer.sees("closed")


async def test_go_back_leaves_a_pending_question_for_a_starter_and_returns(words: Bot, meet: Meet) -> None:
    bot = words("go-back")
    async with meet(bot) as consumer:
        await consumer.say("hi")
        await consumer.hears(bot.text("text_6"))
        await consumer.hears(bot.text("text_question_5"))
        await consumer.say("what?")
        await consumer.hears(bot.no_match("text_question_5"))
        await consumer.hears(bot.text("text_question_5"))
        await consumer.say("continue")
        await consumer.hears(bot.text("quick_reply_7"))
        await consumer.say("Continue")
        await consumer.hears(bot.text("text_question_8"))
        await consumer.say("please go back")
        await consumer.hears(bot.text("quick_reply_7"))
        await consumer.say("continue")
        await consumer.hears(bot.text("text_question_8"))
        await consumer.say("continue")
        await consumer.hears(bot.text("text_9"))
        await consumer.sees("closed")
        path = f"/v1/conversations/{consumer.conversation_id}/messages"
        status, body = await consumer.request("POST", path, json={"text": "still there?"})
        assert (status, body["error"]["code"]) == (410, "closed")


async def test_instagram_starter_has_no_starter_and_jumps_by_what_is_known_of_the_consumer(
    words: Bot, meet: Meet
) -> None:
    bot = words("instagram-starter")
    for entry in ("DirectMessage", "BrandStoryReply", "StoryMention"):
        async with meet(bot, customerInfo={"ctype": entry}) as consumer:
            await consumer.say("hello?")
            await consumer.hears(bot.text(entry))


async def test_instagram_starter_survives_an_unknown_consumer(words: Bot, meet: Meet) -> None:
    bot = words("instagram-starter")
    async with meet(bot) as consumer:
        await consumer.say("hello?")
        await consumer.say("anybody?")
        turns: list[dict[str, Any]] = []
        while len(turns) < 2:
            turns = await consumer.trace()
        assert "script-failed" in [line["code"] for line in turns[0]["lines"]]


@pytest.mark.parametrize(
    ("name", "word", "first"),
    [
        ("get-bot-patterns", "hi", "text_message"),
        ("gpt3-character", "hi", "text_29"),
        ("qr-sms", "help", "text_question_11"),
        ("universal-tile-demo", "hello", "text_message"),
    ],
)
async def test_a_bot_answers_its_first_word(words: Bot, meet: Meet, name: str, word: str, first: str) -> None:
    bot = words(name)
    async with meet(bot) as consumer:
        await consumer.say(word)
        await consumer.hears(bot.text(first))


async def test_gpt3_character_remembers_in_its_context_what_was_said(words: Bot, meet: Meet, api: LoopbackApi) -> None:
    bot = words("gpt3-character")
    async with meet(bot) as consumer:
        await consumer.say("channel")
        await consumer.hears(bot.text("collect character name"))
        await consumer.say("Ada")
        await consumer.hears(bot.text("echo character name", character="Ada"))
        await consumer.hears(bot.text("collect user input", character="Ada"))
        await consumer.say("How are you?")
        await consumer.hears("I am well.")
        await consumer.say('And "tomorrow"?')
        await consumer.hears("I am well.")
        body = next(body for method, _, _, body in reversed(api.requests) if method == "POST")
        assert b"I am well." in body
        assert b'And \\"tomorrow\\"?' in body
