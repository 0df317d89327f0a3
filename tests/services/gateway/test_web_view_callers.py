"""The callers of the Web View address there are in the wild: what each sends, and what it does with the answer."""

import asyncio
import hashlib
import json
from typing import Any

import msgspec
import pytest

from services.gateway import bodies
from shared.dialog.events import WebViewCall
from tests.services.gateway.loopback import Conversation, Gateway, StartConversation

PATH = "/thirdparty-services-0.1/webview"
UNICODE = "Zoë \u4f60\u597d \U0001f6b2 e\u0301 \u202eabc \u0000 \n\t\"'<b>"
JSON_TYPE = {"Content-Type": "application/json"}


def ids(made: Conversation) -> dict[str, Any]:
    return {"botId": "shop", "conversationId": made.id, "userId": made.user_id}


def sum_of(made: Conversation) -> str:
    return hashlib.sha256(f"{made.id} || shop".encode()).hexdigest()


def entry(name: Any, value: Any) -> dict[str, Any]:
    return {"name": name, "value": value}


TAKEN: dict[str, tuple[dict[str, Any], WebViewCall, int]] = {
    # what is posted beside the ids; the event it becomes; how many entries are reported as ignored
    "variables and a message": (
        {"message": "done", "contextVariables": [entry("a", "1")]},
        WebViewCall({"a": "1"}, "done"),
        0,
    ),
    "the message is missing": ({"contextVariables": [entry("a", "1")]}, WebViewCall({"a": "1"}), 0),
    "the message is null": ({"message": None, "contextVariables": [entry("a", "1")]}, WebViewCall({"a": "1"}), 0),
    "neither": ({}, WebViewCall(), 0),
    "an entry has another field in place of the name": (
        {"contextVariables": [{"employeeId": "employeeId", "value": "7"}, entry("a", "1")]},
        WebViewCall({"a": "1"}),
        1,
    ),
    "a name is null": ({"contextVariables": [entry(None, "1"), entry("a", "1")]}, WebViewCall({"a": "1"}), 1),
    "an entry is null": ({"contextVariables": [None, entry("a", "1")]}, WebViewCall({"a": "1"}), 1),
    "an entry has no value": ({"contextVariables": [{"name": "a"}, entry("b", "1")]}, WebViewCall({"b": "1"}), 1),
    "entries and the body have more fields": (
        {"contextVariables": [entry("a", "1") | {"type": "string", "scope": None}], "version": 2, "meta": {"x": []}},
        WebViewCall({"a": "1"}),
        0,
    ),
    "values are null, numbers and booleans": (
        {"contextVariables": [entry("n", None), entry("i", 7), entry("f", 0.5), entry("t", True), entry("no", False)]},
        WebViewCall({"n": "", "i": "7", "f": "0.5", "t": "true", "no": "false"}),
        0,
    ),
    "values are lists and objects": (
        {"contextVariables": [entry("l", ["a", "b"]), entry("o", {"k": 1})]},
        WebViewCall({"l": "a,b", "o": '{"k":1}'}),
        0,
    ),
    "names and values are any text": (
        {"message": UNICODE, "contextVariables": [entry("größe 1.x/y", UNICODE)]},
        WebViewCall({"größe 1.x/y": UNICODE}, UNICODE),
        0,
    ),
    "a value is a JSON web token": (
        {"contextVariables": [entry("jwt", "e" * 40 + "." + "y" * 4000 + "." + "s" * 300)]},
        WebViewCall({"jwt": "e" * 40 + "." + "y" * 4000 + "." + "s" * 300}),
        0,
    ),
    "two hundred variables": (
        {"contextVariables": [entry(f"v{n}", f"value {n}") for n in range(200)]},
        WebViewCall({f"v{n}": f"value {n}" for n in range(200)}),
        0,
    ),
    "the variables are a plain object": ({"contextVariables": {"a": 1}}, WebViewCall({"a": "1"}), 0),
    "the variables are null": ({"message": "m", "contextVariables": None}, WebViewCall({}, "m"), 0),
}


@pytest.mark.parametrize("caller", TAKEN)
async def test_what_forms_send_is_taken(gateway: Gateway, conversation: StartConversation, caller: str) -> None:
    fields, event, ignored = TAKEN[caller]
    made = await conversation()
    body = ids(made) | fields
    async with gateway.client.post(PATH, json=body, headers={"Authorization": sum_of(made)}) as answer:
        assert answer.status == 200, await answer.text()
        said = await answer.json()
    assert (said["success"], said["variables"], len(said["ignored"])) == (True, len(event.variables), ignored)
    (stored,) = (await made.take()).events
    found = msgspec.json.decode(stored.body, type=WebViewCall)
    assert msgspec.structs.replace(found, receipt="") == event


TYPES = {
    # by which library it is sent, and under which type, when nobody tells it what the body is
    "a form of CB's documents": "application/json",
    "axios": "application/json;charset=utf-8",
    "a JSON API client": "application/vnd.api+json",
    "fetch with a text": "text/plain;charset=UTF-8",
    "jQuery and curl -d with a text": "application/x-www-form-urlencoded; charset=UTF-8",
    "an old library": "text/json",
    "a client that names none": "application/octet-stream",
}


@pytest.mark.parametrize("library", TYPES)
async def test_json_is_read_under_every_type_that_libraries_give_it(
    gateway: Gateway, conversation: StartConversation, library: str
) -> None:
    made = await conversation()
    for before in (b"", b"\xef\xbb\xbf", b" \r\n"):
        body = before + json.dumps(ids(made) | {"contextVariables": [entry("a", f"ü{before!r}")]}).encode()
        headers = {"Authorization": sum_of(made), "Content-Type": TYPES[library]}
        async with gateway.client.post(PATH, data=body, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
    assert [b'"a":"\xc3\xbc' in event.body for event in (await made.take()).events] == [True] * 3


REFUSED: dict[str, tuple[dict[str, Any], int]] = {
    # what is wrong with the request, and the status; the answer is JSON each time
    "no body": ({"data": b""}, 400),
    "half a body": ({"data": b'{"botId": '}, 400),
    "a list": ({"data": b"[]"}, 400),
    "not UTF-8": ({"data": b'{"botId": "\xff"}'}, 400),
    "nested without end": ({"data": b'{"botId": ' + b"[" * 100_000}, 400),
    "a number for an id": ({"json": {"botId": 5}}, 400),
    "null for an id": ({"json": {"botId": None}}, 400),
    "an HTML form without a script": ({"data": {"botId": "shop"}}, 415),
    "a form with a file": ({"data": b"--x\r\n", "headers": {"Content-Type": "multipart/form-data; boundary=x"}}, 415),
    "XML": ({"data": b"<a/>", "headers": {"Content-Type": "text/xml"}}, 415),
    "another charset": ({"data": b"{}", "headers": {"Content-Type": "application/json; charset=latin-1"}}, 415),
    "a conversation that never was": ({"json": {"botId": "shop", "conversationId": "x", "userId": "u"}}, 404),
    "no authorization": ({"json": {}, "headers": {"Authorization": ""}}, 401),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_a_caller_that_reads_json_also_from_errors_can(gateway: Gateway, what: str) -> None:
    request, status = REFUSED[what]
    headers = {"Authorization": "0" * 64} | ({} if "json" in request else JSON_TYPE) | request.get("headers", {})
    if isinstance(request.get("data"), dict):
        del headers["Content-Type"]
    request = {**request, "headers": headers | {"Origin": "https://forms.example"}}
    async with gateway.client.post(PATH, **request) as answer:
        assert answer.status == status, await answer.text()
        assert answer.content_type == "application/json"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers  # of pages that nobody has listed
        body = await answer.json()
    assert body["success"] is False
    assert body["error"]["message"].endswith(".")


async def test_a_double_click_is_one_event_and_both_answers_are_the_same(
    gateway: Gateway, conversation: StartConversation
) -> None:
    made = await conversation()
    body = ids(made) | {"message": "done", "contextVariables": [entry("a", "1")], "clickedAt": 1}
    first = gateway.client.post(PATH, json=body, headers={"Authorization": sum_of(made)})
    second = gateway.client.post(PATH, json=body | {"clickedAt": 2}, headers={"Authorization": sum_of(made).upper()})
    async with first as one, second as other:
        assert (one.status, other.status) == (200, 200)
        assert await one.json() == await other.json()
    assert len((await made.take()).events) == 1


@pytest.mark.parametrize(
    ("asked", "allowed"),
    [
        ("authorization,content-type,x-requested-with", "authorization,content-type,x-requested-with"),
        ("x-form, x_1.a-b", "x-form, x_1.a-b"),
        ("x" * 1001, "Authorization, Content-Type"),
        ('a"b', "Authorization, Content-Type"),
        (None, "Authorization, Content-Type"),
    ],
)
async def test_a_page_may_send_the_headers_that_its_libraries_add(
    gateway: Gateway, asked: str | None, allowed: str
) -> None:
    headers = {"Origin": "https://forms.example", "Access-Control-Request-Method": "POST"}
    headers |= {} if asked is None else {"Access-Control-Request-Headers": asked}
    async with gateway.client.options(PATH, headers=headers) as answer:
        assert (answer.status, answer.headers["Access-Control-Allow-Headers"]) == (204, allowed)
    async with gateway.client.options("/v1/receipts/x", headers=headers) as answer:
        assert answer.headers["Access-Control-Allow-Headers"] == "Authorization, Content-Type"


async def test_an_address_nearly_right_is_refused_in_the_shape_of_forms(gateway: Gateway) -> None:
    for path in (PATH + "/", PATH.replace("webview", "WebView")):
        async with gateway.client.post(path, json={}) as answer:
            assert answer.status == 404
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
            assert (await answer.json())["success"] is False


async def test_whatever_a_caller_expects_it_is_answered_as_ever(
    gateway: Gateway, conversation: StartConversation
) -> None:
    made = await conversation()
    for expected in ("100-continue", "something else"):
        headers = {"Authorization": sum_of(made), "Expect": expected}
        async with gateway.client.post(PATH, json=ids(made) | {"message": expected}, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
    assert len((await made.take()).events) == 2


async def test_a_body_that_breaks_on_its_way_is_refused_at_once(
    gateway: Gateway, conversation: StartConversation
) -> None:
    made = await conversation()
    server = gateway.runner.server
    assert server is not None
    before = server.requests_count
    reader, writer = await asyncio.open_connection("127.0.0.1", int(gateway.url.rpartition(":")[2]))
    head = (f"POST {PATH} HTTP/1.1", "Host: h", f"Authorization: {sum_of(made)}", "Transfer-Encoding: chunked")
    writer.write("\r\n".join([*head, "Content-Type: application/json", "", "2", "{ ", ""]).encode())
    while server.requests_count == before:
        await asyncio.sleep(0)
    await asyncio.sleep(0.01)  # until somebody reads
    writer.write(b"no size\r\n")
    async with asyncio.timeout(bodies.BODY_SECONDS / 2):
        answer = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"Access-Control-Allow-Origin: *" in answer
