"""A bot with an endpoint: the worker asks it before the turn, and no message is lost when it fails."""

import asyncio
from typing import Any

import msgspec
import pytest
from aiohttp import web

from services.dialog_worker.understanding import understood
from shared.bot.source import BotSource
from shared.bot.understanding import Understanding
from shared.dialog.effects import Reply
from shared.dialog.events import ConsumerMessage, Intent, Understood, WebViewCall
from shared.dialog.frames import Advance, Answer
from shared.dialog.session import Conversation, Session
from shared.integration.client import OutboundClient
from shared.understanding.endpoint import Endpoint
from tests.ports import free_address
from tests.services.dialog_worker.conftest import Serve, Talks
from tests.services.dialog_worker.conversations import Talk, small_bot

GREETED = {"intent": {"name": "greet", "confidence": 0.9}}
OPEN = Conversation("0-c", "b", "u")


def hears(request: Advance) -> Answer:
    """An engine that says what was understood."""
    event = request.event
    found = event.understood if isinstance(event, ConsumerMessage) else Understood()
    said = found.failure or ", ".join(f"{one.name} {one.score}" for one in found.intents) or "nothing"
    return Answer(request.session or Session(request.version), [Reply(text=said)])


async def publish(talk: Talk, url: str, timeout: float = 5) -> str:
    """Publish a bot with an endpoint; return its version."""
    manifest = f"[understanding]\nurl = '{url}'\ntimeout = {timeout}\n[egress]\nprivate = ['127.0.0.0/8']"
    return (await talk.bots.publish(BotSource(small_bot().export, manifest))).version


async def said(talk: Talk, *texts: str) -> list[str]:
    try:
        await talk.say(*texts)
        await talk.work()
    finally:
        await talk.parts.endpoint.close()
    return await talk.replies()


async def test_the_endpoint_is_asked_before_every_turn(talk_with: Talks, serve: Serve) -> None:
    asked: list[Any] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(await request.json())
        return web.json_response(GREETED)

    talk = await talk_with(hears)
    await publish(talk, await serve(answer))
    assert await said(talk, "hello", "good day") == ["greet 0.9", "greet 0.9"]
    assert asked == [{"text": "hello"}, {"text": "good day"}]


async def test_a_bot_without_an_endpoint_is_left_to_its_turn_process(talk_with: Talks) -> None:
    assert await said(await talk_with(hears), "hello") == ["nothing"]


async def test_a_message_goes_on_when_the_endpoint_is_slow(talk_with: Talks, serve: Serve) -> None:
    async def answer(_: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.json_response(GREETED)

    talk = await talk_with(hears)
    await publish(talk, await serve(answer), timeout=0.5)
    assert await said(talk, "hello") == ["the endpoint could not be asked: the answer did not come in time"]


@pytest.mark.parametrize("answer", ["nonsense", {"intent": 7}, []])
async def test_a_message_goes_on_when_the_endpoint_is_broken(talk_with: Talks, serve: Serve, answer: Any) -> None:
    talk = await talk_with(hears)
    await publish(talk, await serve(answer))
    [reply] = await said(talk, "hello")
    assert "shape" in reply
    assert await talk.dead() == []


async def test_a_message_goes_on_when_the_endpoint_is_away(talk_with: Talks) -> None:
    talk = await talk_with(hears)
    await publish(talk, f"http://{free_address()}/model/parse")
    assert await said(talk, "hello") == ["the endpoint could not be asked: the connection was not accepted"]
    assert await talk.dead() == []


@pytest.mark.parametrize(
    "event",
    [
        ConsumerMessage(" "),
        WebViewCall({"a": "b"}),
        WebViewCall({}, "hello", late=True),
        ConsumerMessage("hello", understood=Understood([Intent("known", 0.8)])),
        ConsumerMessage("hello", understood=Understood(failure="away")),
    ],
)
async def test_nobody_is_asked_when_there_is_nothing_to_understand(
    talk_with: Talks, event: ConsumerMessage | WebViewCall
) -> None:
    talk = await talk_with(hears)
    version = await publish(talk, "http://127.0.0.1:1/")
    assert await understood(talk.parts, version, OPEN, event) is event


async def test_nobody_is_asked_while_a_person_talks_to_the_consumer(talk_with: Talks) -> None:
    talk = await talk_with(hears)
    version = await publish(talk, "http://127.0.0.1:1/")
    event = ConsumerMessage("hello")
    transferred = msgspec.structs.replace(OPEN, status="transferred")
    assert await understood(talk.parts, version, transferred, event) is event


async def test_the_payload_of_a_control_is_asked_about_and_the_message_of_a_form(
    talk_with: Talks, serve: Serve
) -> None:
    asked: list[Any] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append((await request.json())["text"])
        return web.json_response(GREETED)

    talk = await talk_with(hears)
    version = await publish(talk, await serve(answer))
    for event in (ConsumerMessage("Yes", payload="say hello"), WebViewCall({}, "hello from a form")):
        found = await understood(talk.parts, version, OPEN, event)
        assert isinstance(found, ConsumerMessage | WebViewCall)
        assert found.understood.intents == [Intent("greet", 0.9)]
    await talk.parts.endpoint.close()
    assert asked == ["say hello", "hello from a form"]


async def test_the_operator_may_send_what_is_asked_elsewhere(serve: Serve) -> None:
    here = (await serve(GREETED)).removesuffix("/model/parse")
    endpoint = Endpoint(OutboundClient([("https://nlu.example.com", here)]))
    found = await endpoint.understand("hello", Understanding(url="https://nlu.example.com/model/parse", timeout=30))
    await endpoint.close()
    assert found.intents == [Intent("greet", 0.9)]
