"""What is no whole request: answered in the same shape where it can be, and never waited for."""

import asyncio
import json

import pytest
import structlog

from services.gateway import bodies, listening
from tests.services.gateway.loopback import Conversation, Gateway, StartConversation, StartGateway

_POST = b"POST / HTTP/1.1\r\nHost: h\r\n"


@pytest.mark.parametrize(
    ("request_head", "said"),
    [
        (b"nonsense", "no HTTP"),
        (b"GET / HTTP/9.9", "no HTTP"),
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1", "8,190 bytes"),
        (_POST + b"x: " + b"a" * 20_000, "8,190 bytes"),
        (_POST + b"x: y\r\n" * 200, "128 headers"),
        (_POST + b"Transfer-Encoding: chunked\r\n\r\nno size", "a chunk"),
    ],
)
async def test_what_cannot_be_parsed_gets_the_same_shape_and_names_the_limit(
    gateway: Gateway, request_head: bytes, said: str
) -> None:
    port = int(gateway.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request_head + b"\r\n\r\n")
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    assert head.partition(b" ")[2].startswith(b"400")
    answer = json.loads(body)
    error = answer["error"]
    assert (error["code"], set(error)) == ("invalid_request", {"code", "message"})
    assert said in error["message"]
    assert answer["success"] is False  # it may have been a form's
    assert b"\r\nServer: botlane\r\n" in head
    assert b"\r\nX-Content-Type-Options: nosniff" in head
    assert b"\r\nAccess-Control-Allow-Origin: *\r\n" in head


async def test_an_answer_to_what_cannot_be_parsed_arrives_although_more_is_sent(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "LAST_SECONDS", 60)  # the machine may be slow
    reader, writer = await asyncio.open_connection("127.0.0.1", int(gateway.url.rpartition(":")[2]))
    writer.write(_POST + b"x: ")
    for _ in range(20):
        writer.write(b"a" * 100_000)
        await writer.drain()
        await asyncio.sleep(0)
    assert b'"invalid_request"' in await reader.read()
    writer.close()


async def test_a_body_that_does_not_come_is_not_waited_for(
    gateway: Gateway, conversation: StartConversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.1)
    reader, writer = await half_a_message(gateway, await conversation())
    head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    assert head.startswith(b"HTTP/1.1 400 ")


async def test_a_caller_who_leaves_amid_a_body_is_no_failure_of_the_gateway(
    gateway: Gateway, conversation: StartConversation
) -> None:
    made = await conversation()
    with structlog.testing.capture_logs() as logged:
        _, writer = await half_a_message(gateway, made)
        writer.transport.abort()
        while not any(line["event"] == "request" for line in logged):
            await asyncio.sleep(0.01)
    assert [line["status"] for line in logged] == [400]


async def test_a_connection_that_never_finishes_a_request_is_closed(
    monkeypatch: pytest.MonkeyPatch, start_gateway: StartGateway
) -> None:
    monkeypatch.setattr(listening, "IDLE_SECONDS", 0.1)
    gateway = await start_gateway()
    reader, writer = await asyncio.open_connection("127.0.0.1", int(gateway.url.rpartition(":")[2]))
    writer.write(b"GET / HTTP/1.1\r\nHost: ")
    assert await reader.read() == b""
    writer.close()


async def half_a_message(gateway: Gateway, made: Conversation) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Begin to send a message over a connection of one's own; the body never ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(gateway.url.rpartition(":")[2]))
    head = [
        f"POST {made.path}/messages HTTP/1.1",
        "Host: localhost",
        f"Authorization: {made.headers['Authorization']}",
        "Content-Type: application/json",
        "Content-Length: 100",
    ]
    writer.write("\r\n".join([*head, "", '{"text": ']).encode())
    return reader, writer
