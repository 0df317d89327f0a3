"""What an endpoint answers, read as what a text means. On a loopback server."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web

from shared.bot.understanding import Understanding
from shared.dialog.events import Entity, Intent, Understood
from shared.understanding.endpoint import MOST_INTENTS, Endpoint
from tests.ports import free_address
from tests.services.dialog_worker.conftest import Serve

HERE = ("127.0.0.0/8",)
RASA = {
    "text": "a small pizza",
    "intent": {"name": "order pizza", "confidence": 0.93},
    "entities": [
        {"entity": "SIZE", "value": "10", "start": 2, "end": 7, "confidence_entity": 0.9, "extractor": "x"},
        {"entity": "COUNT", "value": 1, "start": 0, "end": 1},
    ],
    "intent_ranking": [
        {"name": "order pizza", "confidence": 0.93},
        {"name": "opening hours", "confidence": 0.04},
    ],
}


async def ask(
    url: str, text: str = "a small pizza", private: tuple[str, ...] = HERE, timeout: float = 30
) -> Understood:
    endpoint = Endpoint()
    try:
        return await endpoint.understand(text, Understanding(url=url, timeout=timeout), private)
    finally:
        await endpoint.close()


async def test_the_text_is_asked_and_intents_and_entities_are_answered(serve: Serve) -> None:
    asked: list[Any] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append((request.content_type, await request.json()))
        return web.json_response(RASA)

    found = await ask(await serve(answer))
    assert asked == [("application/json", {"text": "a small pizza"})]
    assert found.intents == [Intent("order pizza", 0.93), Intent("opening hours", 0.04)]
    assert found.entities == [Entity("SIZE", "small", "10"), Entity("COUNT", "a", "1")]
    assert found.failure == ""


@pytest.mark.parametrize(
    ("answer", "intents"),
    [
        ({"intent": {"name": "a", "confidence": 0.8}}, [Intent("a", 0.8)]),
        ({"intent": {"name": None, "confidence": 0.0}, "intent_ranking": []}, []),
        ({"intent": None}, []),
        ({}, []),
        (
            {"intent_ranking": [{"name": "a", "confidence": 0.2}, {"name": "b", "confidence": 7}, {"name": "a"}]},
            [Intent("b", 1.0), Intent("a", 0.2)],
        ),
    ],
)
async def test_other_answers_of_the_shape_are_read(serve: Serve, answer: Any, intents: list[Intent]) -> None:
    assert (await ask(await serve(answer))).intents == intents


async def test_only_the_best_intents_are_kept(serve: Serve) -> None:
    ranking = [{"name": f"intent {number}", "confidence": number / 100} for number in range(40)]
    assert len((await ask(await serve({"intent_ranking": ranking}))).intents) == MOST_INTENTS


@pytest.mark.parametrize(
    ("entity", "expected"),
    [
        ({"entity": "E", "value": "v"}, [Entity("E", "v", "v")]),
        ({"entity": "E", "value": "v", "start": 5, "end": 99}, [Entity("E", "v", "v")]),
        ({"entity": "E", "value": "v", "start": -3, "end": 2}, [Entity("E", "v", "v")]),
        ({"entity": "E", "value": {"from": 1}, "start": 0, "end": 1}, [Entity("E", "a", '{"from":1}')]),
        ({"entity": "E", "value": None}, []),
    ],
)
async def test_an_entity_without_a_place_in_the_text_is_its_own_phrase(
    serve: Serve, entity: Any, expected: list[Entity]
) -> None:
    assert (await ask(await serve({"entities": [entity]}))).entities == expected


@pytest.mark.parametrize(
    "body", ["", "[]", "<html>", '{"intent": 3}', '{"intent_ranking": [{"confidence": "a"}]}', "[" * 9000]
)
async def test_an_answer_of_another_shape_means_nothing(serve: Serve, body: str) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=body)

    assert await ask(await serve(answer)) == Understood(
        failure="the endpoint's answer is not in the shape of Rasa's /model/parse"
    )


@pytest.mark.parametrize("status", [204, 401, 404, 500, 503])
async def test_an_answer_that_is_no_success_means_nothing(serve: Serve, status: int) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=json.dumps(RASA) if status != 204 else None)

    assert await ask(await serve(answer)) == Understood(failure=f"the endpoint answered {status}")


async def test_a_redirect_is_not_followed(serve: Serve) -> None:
    async def answer(request: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect(str(request.url))

    assert "307" in (await ask(await serve(answer))).failure


async def test_a_slow_endpoint_means_nothing(serve: Serve) -> None:
    async def answer(_: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.json_response(RASA)

    found = await ask(await serve(answer), timeout=0.5)
    assert found == Understood(failure="the endpoint could not be asked: the answer did not come in time")


async def test_an_endpoint_that_talks_too_much_means_nothing(serve: Serve) -> None:
    found = await ask(await serve({"entities": [{"entity": "x" * 100_000}]}))
    assert found == Understood(failure="the endpoint could not be asked: the answer is larger than 65536 bytes")


async def test_an_endpoint_that_is_away_means_nothing() -> None:
    found = await ask(f"http://{free_address()}/")
    assert found == Understood(failure="the endpoint could not be asked: the connection was not accepted")


@pytest.mark.parametrize("private", [(), ("10.0.0.0/8",)])
async def test_an_inner_address_is_asked_only_when_the_manifest_allows_it(
    serve: Serve, private: tuple[str, ...]
) -> None:
    found = await ask(await serve(RASA), private=private)
    assert found.intents == []
    assert "calls may not reach this address" in found.failure


async def test_a_failure_names_no_value_and_no_address(serve: Serve) -> None:
    for url in (await serve("secret answer"), "http://127.0.0.1:1/secret"):
        assert not {"secret", "127.0.0.1", "pizza"} & set((await ask(url)).failure.replace("/", " ").split())
