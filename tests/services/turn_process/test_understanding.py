"""Consumers are understood in the locked-down child: by intents and entities of the manifest, before the turn."""

import json
import os

import msgspec
import pytest

from shared.bot.source import BotSource
from shared.dialog.events import ConsumerMessage, Intent, Understood, WebViewCall
from tests.services.turn_process.conftest import Pool, running_pool, texts
from tests.unit.dialog import bots

pytestmark = pytest.mark.asyncio(loop_scope="module")  # one pool for all

TALK = "botContext.sendMessage(botContext.getDialogStarterIntent())"
SIZES = "botContext.getNamedEntities('SIZE').map(function (one) { return one.getPhrase() + '=' + one.getDataValue() }).join()"
MANIFEST = """
[intents."track order"]
phrases = ["where is my order", "track my parcel", "when will my package arrive", "has my order been shipped yet"]
[intents.pizza]
phrases = ["I want to order a pizza", "a @SIZE pizza please", "bring me something to eat", "I am hungry"]
[entities.SIZE]
values = ["small~10", "extra large~40"]
"""


def shop(manifest: str = MANIFEST) -> BotSource:
    """A bot that starts its dialogs by intent, and asks for a size unless it was told one."""
    slot = bots.go("done", bots.sets("slot.size", "@SIZE"))
    export = bots.export(
        bots.dialog("Track", bots.starter(name="s1", intentId="i-track"), bots.text("tracking", pre=TALK)),
        bots.dialog(
            "Pizza",
            bots.starter(name="s2", intentId="pizza"),
            bots.text("pizza", pre=f"botContext.sendMessage({SIZES})"),
            bots.question("size", "Which size?", slot),
            bots.text("done", "Size {$botContext.slot.size}.", then="none"),
        ),
        bots.fallback(bots.text("sorry")),
    )
    export["associatedIntents"] = [{"id": "i-track", "name": "track order", "displayName": "Track an order"}]
    return BotSource(json.dumps(export).encode(), manifest)


def saying(text: str, **more: object) -> ConsumerMessage:
    event = ConsumerMessage(text, sequence=1, at=1_700_000_000_000, new_session=True)
    return msgspec.structs.replace(event, **more)


@pytest.mark.parametrize(
    "text", ["Where is my order?", "track parcel", "whens my packge arriving", "order shipped yet"]
)
async def test_a_paraphrase_starts_the_dialog_of_its_intent(pool: Pool, text: str) -> None:
    answer = await pool.ask(shop(), event=saying(text))
    assert texts(answer) == ["track order", "tracking"]
    [line] = [line for line in answer.trace if line.code == "understood"]
    assert line.facts["track order"] >= 0.7  # type: ignore[operator] # a score


@pytest.mark.parametrize("text", ["what is the capital of australia", "tell me a joke", "asdf", "👍"])
async def test_what_no_intent_is_meant_by_goes_to_the_fallback(pool: Pool, text: str) -> None:
    assert texts(await pool.ask(shop(), event=saying(text))) == ["sorry"]


async def test_the_payload_of_a_control_is_what_is_understood(pool: Pool) -> None:
    event = saying("Yes", payload="track my parcel")
    assert texts(await pool.ask(shop(), event=event)) == ["track order", "tracking"]


async def test_the_message_of_a_form_is_understood_but_not_a_late_one(pool: Pool) -> None:
    form = WebViewCall({}, "where is my order", sequence=1, at=1_700_000_000_000, new_session=True)
    assert texts(await pool.ask(shop(), event=form)) == ["track order", "tracking"]
    late = await pool.ask(shop(), event=msgspec.structs.replace(form, late=True))
    assert "understood" not in {line.code for line in late.trace}


async def test_entities_reach_scripts_and_fill_slots(pool: Pool) -> None:
    told = await pool.ask(shop(), event=saying("an Extra-Large pizza, please"))
    assert texts(told) == ["Extra-Large=40", "pizza", "Size Extra-Large."]
    untold = await pool.ask(shop(), event=saying("I am hungry"))
    assert texts(untold)[-1] == "Which size?"
    answered = await pool.ask(
        shop(), event=saying("the small one", new_session=False, sequence=9), session=untold.session, turn=2
    )
    assert texts(answered) == ["Size small."]


async def test_what_was_understood_on_the_way_is_not_understood_again(pool: Pool) -> None:
    event = saying("bla bla", understood=Understood([Intent("pizza", 0.9)]))
    assert "pizza" in texts(await pool.ask(shop(), event=event))
    failed = await pool.ask(shop(), event=saying("where is my order", understood=Understood(failure="away")))
    assert texts(failed) == ["sorry"]
    assert [line.note for line in failed.trace if line.code == "understanding-failed"] == ["away"]


async def test_every_child_understands_alike(pool: Pool) -> None:
    traces = []
    async with running_pool() as other:
        for one in (pool, other):
            answer = await one.ask(shop(), event=saying("when does my pizza arrive"))
            traces.append([line.facts for line in answer.trace if line.code == "understood"])
            assert os.getpid() not in one.pids
    assert traces[0] == traces[1]
    assert traces[0]


async def test_without_phrases_an_intent_starts_nothing(pool: Pool) -> None:
    assert texts(await pool.ask(shop(""), event=saying("where is my order"))) == ["sorry"]
