"""Web View: external forms post variables and messages, authorized as in Conversation Builder."""

import hashlib
import io
import json
import re
import time
from typing import Any

import msgspec
import pytest
from aiohttp import ClientResponse
from arq.connections import ArqRedis

from shared.dialog.events import WebViewCall
from shared.store import keys
from tests.services.gateway.loopback import Conversation, Gateway, StartConversation, StartGateway

PATH = "/thirdparty-services-0.1/webview"
DAY_MS = 24 * 3600 * 1000


def checksum(conversation_id: str, bot_id: str) -> str:
    return hashlib.sha256(f"{conversation_id} || {bot_id}".encode()).hexdigest()


def form(made: Conversation, **fields: Any) -> dict[str, Any]:
    return {"botId": "shop", "conversationId": made.id, "userId": made.user_id, **fields}


async def post(made: Conversation, headers: dict[str, str] | None = None, **fields: Any) -> dict[str, Any]:
    headers = {"Authorization": checksum(made.id, "shop")} if headers is None else headers
    async with made.client.post(PATH, json=form(made, **fields), headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        return await answer.json()  # type: ignore[no-any-return]


async def failure_of(answer: ClientResponse, status: int) -> dict[str, Any]:
    assert answer.status == status, await answer.text()
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    body = await answer.json()
    assert set(body) == {"success", "error"}
    assert body["success"] is False
    error: dict[str, Any] = body["error"]
    assert set(error) <= {"code", "message", "field"}
    return error


async def taken(made: Conversation) -> list[WebViewCall]:
    events = [msgspec.json.decode(event.body, type=WebViewCall) for event in (await made.take()).events]
    return [msgspec.structs.replace(event, receipt="") for event in events]


async def said(made: Conversation) -> list[str]:
    return [message["text"] for message in (await made.read())["messages"]]


async def last_said(redis: ArqRedis, made: Conversation, at: int) -> None:
    async with redis.pipeline() as pipe:
        pipe.hset(keys.conv(made.id), "said", str(at))
        await pipe.execute()


async def test_a_form_posts_variables_and_a_message_as_one_event(conversation: StartConversation) -> None:
    made = await conversation()
    variables = [{"name": "size", "value": "L"}, {"name": "colour", "value": "red"}]
    answer = await post(made, message="form done", contextVariables=variables)
    assert set(answer) == {"success", "receipt", "variables", "ignored", "message"}
    assert answer["success"] is True
    assert answer["variables"] == 2
    assert answer["ignored"] == []
    assert answer["message"] == "queued"
    assert await taken(made) == [WebViewCall({"size": "L", "colour": "red"}, "form done")]
    (echo,) = (await made.read())["messages"]
    assert (echo["from"], echo["type"], echo["text"]) == ("consumer", "text", "form done")


@pytest.mark.parametrize("nothing", [{}, {"message": None}, {"message": ""}])
async def test_variables_alone_say_nothing_in_the_conversation(
    conversation: StartConversation, nothing: dict[str, Any]
) -> None:
    made = await conversation()
    answer = await post(made, contextVariables=[{"name": "size", "value": "L"}], **nothing)
    assert answer["message"] == "none"
    assert await taken(made) == [WebViewCall({"size": "L"})]
    assert await said(made) == []


@pytest.mark.parametrize("none", [{}, {"contextVariables": None}, {"contextVariables": []}, {"contextVariables": {}}])
async def test_a_message_alone_is_enough(conversation: StartConversation, none: dict[str, Any]) -> None:
    made = await conversation()
    answer = await post(made, message="hi", **none)
    assert (answer["variables"], answer["message"]) == (0, "queued")
    assert await taken(made) == [WebViewCall({}, "hi")]


async def test_a_call_keeps_its_place_among_the_consumers_messages(conversation: StartConversation) -> None:
    made = await conversation()
    await made.say("before")
    await post(made, message="form")
    await made.say("after")
    assert [event.kind for event in (await made.take()).events] == ["message", "web_view", "message"]
    assert await said(made) == ["before", "form", "after"]


@pytest.mark.parametrize("change", [str.lower, str.upper, str.swapcase, lambda text: f" {text} "])
async def test_the_checksum_is_taken_in_either_case(conversation: StartConversation, change: Any) -> None:
    made = await conversation()
    await post(made, {"Authorization": change(checksum(made.id, "shop"))})


@pytest.mark.parametrize(
    ("given", "variables"),
    [
        ({"size": "L", "count": 3}, {"size": "L", "count": "3"}),
        ([{"name": "n", "value": 5}], {"n": "5"}),
        ([{"name": "n", "value": 5.0}], {"n": "5"}),
        ([{"name": "n", "value": 0.25}], {"n": "0.25"}),
        ([{"name": "n", "value": 10**400}], {"n": "Infinity"}),
        ([{"name": "n", "value": True}], {"n": "true"}),
        ([{"name": "n", "value": None}], {"n": ""}),
        ([{"name": "n", "value": ["a", 1]}], {"n": "a,1"}),
        ([{"name": "n", "value": {"a": [1]}}], {"n": '{"a":[1]}'}),
        ([{"name": "n", "value": "", "more": 1}], {"n": ""}),
        ([{"name": "n", "value": "a"}, {"name": "n", "value": "b"}], {"n": "b"}),
    ],
)
async def test_variables_are_taken_in_several_shapes(
    conversation: StartConversation, given: Any, variables: dict[str, str]
) -> None:
    made = await conversation()
    answer = await post(made, contextVariables=given)
    assert answer["variables"] == len(variables)
    assert await taken(made) == [WebViewCall(variables)]


async def test_entries_that_are_no_variables_are_ignored_and_reported(conversation: StartConversation) -> None:
    made = await conversation()
    entries = [
        {"employeeId": "employeeId", "value": "7"},
        {"name": "kept", "value": "yes"},
        {"name": "", "value": "x"},
        {"name": 5, "value": "x"},
        "text",
        {"name": "novalue"},
        {"name": "deep", "value": json.loads("[" * 70 + "]" * 70)},
        {"name": "long", "value": 10**400},
    ]
    answer = await post(made, contextVariables=entries)
    assert answer["variables"] == 2
    assert [entry["index"] for entry in answer["ignored"]] == [0, 2, 3, 4, 5, 6]
    assert all(entry["reason"] for entry in answer["ignored"])
    assert await taken(made) == [WebViewCall({"kept": "yes", "long": "Infinity"})]


async def test_the_same_body_twice_within_two_seconds_is_the_same_receipt(conversation: StartConversation) -> None:
    made = await conversation()
    await made.say("hi")
    first = await post(made, message="done", contextVariables={"a": "1"})
    assert await post(made, message="done", contextVariables={"a": "1"}) == first
    assert len((await made.take()).events) == 2


async def test_another_body_or_a_later_one_is_another_receipt(conversation: StartConversation, redis: ArqRedis) -> None:
    made = await conversation()
    first = await post(made, message="done", contextVariables={"a": "1"})
    other = await post(made, message="done", contextVariables={"a": "2"})
    async for name in redis.scan_iter("posted:*"):
        await redis.delete(name)  # two seconds are over
    later = await post(made, message="done", contextVariables={"a": "1"})
    assert len({first["receipt"], other["receipt"], later["receipt"]}) == 3


async def test_a_receipt_tells_nothing_and_cannot_be_guessed(
    start_gateway: StartGateway, conversation: StartConversation, redis: ArqRedis
) -> None:
    made = await conversation()
    here = await post(made, message="done")
    other = await start_gateway(secrets=("another-secret-of-a-gateway",))
    made.client = other.client
    there = await post(made, message="done")
    assert re.fullmatch(r"0-[0-9a-f]{32}-1", here["receipt"])
    assert here["receipt"].split("-")[1] != there["receipt"].split("-")[1]
    assert made.id not in here["receipt"]


async def test_a_message_a_day_after_the_consumers_last_one_is_late(
    conversation: StartConversation, redis: ArqRedis
) -> None:
    made = await conversation()
    await made.say("hi")
    await made.reply()
    await last_said(redis, made, int(time.time() * 1000) - DAY_MS - 1000)
    answer = await post(made, message="too late", contextVariables={"a": "1"})
    assert (answer["message"], answer["variables"]) == ("late", 1)
    assert await post(made, message="too late", contextVariables={"a": "1"}) == answer
    (event,) = (await made.take()).events
    assert event.late
    assert await said(made) == ["hi"]


async def test_variables_alone_are_never_late(conversation: StartConversation, redis: ArqRedis) -> None:
    made = await conversation()
    await last_said(redis, made, 1)
    assert (await post(made, contextVariables={"a": "1"}))["message"] == "none"


@pytest.mark.parametrize("header", [None, "", "nonsense", "ü" * 64, "Bearer x", checksum("other", "shop")])
async def test_a_call_without_the_right_checksum_is_refused(
    gateway: Gateway, conversation: StartConversation, header: str | None
) -> None:
    made = await conversation()
    headers = {} if header is None else {"Authorization": header}
    async with gateway.client.post(PATH, json=form(made), headers=headers) as answer:
        error = await failure_of(answer, 401)
    assert "sha256hex" in error["message"]


@pytest.mark.parametrize("field", ["botId", "userId", "conversationId"])
async def test_every_id_must_be_the_conversations_own(
    gateway: Gateway, conversation: StartConversation, field: str
) -> None:
    made = await conversation()
    body = form(made) | {field: "somebody-else"}
    async with gateway.client.post(PATH, json=body, headers={"Authorization": checksum(made.id, "shop")}) as answer:
        error = await failure_of(answer, 404)
    assert error["field"] == field


async def test_the_checksum_is_made_of_the_stored_bot_not_of_the_posted_one(
    gateway: Gateway, conversation: StartConversation
) -> None:
    made = await conversation()
    body = form(made) | {"botId": "other"}
    async with gateway.client.post(PATH, json=body, headers={"Authorization": checksum(made.id, "other")}) as answer:
        await failure_of(answer, 401)


async def test_a_closed_conversation_is_not_found(gateway: Gateway, conversation: StartConversation) -> None:
    made = await conversation()
    await made.close()
    headers = {"Authorization": checksum(made.id, "shop")}
    async with gateway.client.post(PATH, json=form(made, message="hi"), headers=headers) as answer:
        await failure_of(answer, 404)


async def test_a_conversation_that_is_gone_is_not_found(gateway: Gateway, conversation: StartConversation) -> None:
    made = await conversation()
    unknown = f"0-{'0' * 32}"
    body = form(made) | {"conversationId": unknown}
    async with gateway.client.post(PATH, json=body, headers={"Authorization": checksum(unknown, "shop")}) as answer:
        await failure_of(answer, 404)


@pytest.mark.parametrize("field", ["botId", "userId", "conversationId"])
async def test_a_missing_id_is_named(gateway: Gateway, conversation: StartConversation, field: str) -> None:
    made = await conversation()
    body = form(made)
    del body[field]
    async with gateway.client.post(PATH, json=body, headers={"Authorization": checksum(made.id, "shop")}) as answer:
        error = await failure_of(answer, 400)
    assert error["field"] == field


@pytest.mark.parametrize(
    ("fields", "status", "field"),
    [
        ({"contextVariables": "size=L"}, 400, "contextVariables"),
        ({"contextVariables": 5}, 400, "contextVariables"),
        ({"message": 5}, 400, "message"),
        ({"message": "a" * 8001}, 413, "message"),
    ],
)
async def test_a_field_that_cannot_be_used_is_named(
    gateway: Gateway, conversation: StartConversation, fields: dict[str, Any], status: int, field: str
) -> None:
    made = await conversation()
    headers = {"Authorization": checksum(made.id, "shop")}
    async with gateway.client.post(PATH, json=form(made, **fields), headers=headers) as answer:
        error = await failure_of(answer, status)
    assert error["field"] == field


async def test_a_body_may_have_a_mebibyte_and_no_more(gateway: Gateway, conversation: StartConversation) -> None:
    made = await conversation()
    blocks = {f"v{number}": "x" * 8000 for number in range(125)}
    assert (await post(made, contextVariables=blocks))["variables"] == 125
    headers = {"Authorization": checksum(made.id, "shop")}
    large = io.BytesIO(msgspec.json.encode(form(made, message="x" * 1_048_576)))
    headers["Content-Type"] = "application/json"
    async with gateway.client.post(PATH, data=large, headers=headers) as answer:
        error = await failure_of(answer, 413)
    assert error["code"] == "too_large"


@pytest.mark.parametrize(
    ("method", "data", "kind", "status"),
    [
        ("POST", b"{", "application/json", 400),
        ("POST", b"", "application/json", 400),
        ("POST", b"a=1", "application/x-www-form-urlencoded", 415),
        ("GET", None, "application/json", 405),
    ],
)
async def test_every_failure_has_the_shape_that_forms_know(
    gateway: Gateway, method: str, data: bytes | None, kind: str, status: int
) -> None:
    headers = {"Authorization": "0" * 64, "Content-Type": kind}
    async with gateway.client.request(method, PATH, data=data, headers=headers) as answer:
        await failure_of(answer, status)


async def test_a_page_of_any_site_may_ask_and_post(gateway: Gateway) -> None:
    headers = {
        "Origin": "https://forms.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    async with gateway.client.options(PATH, headers=headers) as answer:
        assert answer.status == 204
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "POST" in answer.headers["Access-Control-Allow-Methods"]
        assert answer.headers["Access-Control-Allow-Headers"] == "authorization,content-type"


async def test_a_full_inbox_asks_the_form_to_come_back(
    start_gateway: StartGateway, conversation: StartConversation
) -> None:
    gateway = await start_gateway(inbox_limit=1)
    made = await conversation(gateway)
    await made.say("one")
    headers = {"Authorization": checksum(made.id, "shop")}
    async with gateway.client.post(PATH, json=form(made, message="two"), headers=headers) as answer:
        assert "BOTLANE_INBOX_LIMIT" in (await failure_of(answer, 429))["message"]
        assert int(answer.headers["Retry-After"]) > 0
        assert answer.headers["Access-Control-Expose-Headers"] == "Retry-After"  # or no page can read it
