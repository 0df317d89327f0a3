"""The WebSocket of a conversation: acknowledgements, resuming, refusals, and how it ends."""

import asyncio
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType, WSServerHandshakeError
from arq.connections import ArqRedis

from services.gateway import access
from shared.store import keys
from tests.services.gateway.loopback import (
    CHANNEL_KEY,
    Conversation,
    Gateway,
    StartConversation,
    StartGateway,
    error_of,
)

TEXT = {"from": "bot", "type": "text", "text": "hello"}


async def connected(made: Conversation, after: str = "") -> ClientWebSocketResponse:
    return await made.client.ws_connect(f"{made.path}/stream?after={after}", protocols=("botlane.v1", made.token))


async def received(socket: ClientWebSocketResponse, count: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(60):
        return [await socket.receive_json() for _ in range(count)]


async def closed(socket: ClientWebSocketResponse) -> int | None:
    """Read until the gateway closes, and return its code."""
    async with asyncio.timeout(60):
        async for _ in socket:
            pass
    return socket.close_code


async def refused(made: Conversation, **options: Any) -> int:
    with pytest.raises(WSServerHandshakeError) as caught:
        await made.client.ws_connect(f"{made.path}/stream", **options)
    return caught.value.status


async def test_a_message_is_acknowledged_and_comes_back_with_its_sequence(conversation: StartConversation) -> None:
    made = await conversation()
    async with await connected(made) as socket:
        assert socket.protocol == "botlane.v1"
        await socket.send_json({"id": "m-1", "text": "hi"})
        frames = await received(socket, 2)
    (ack,) = [frame["ack"] for frame in frames if "ack" in frame]
    (message,) = [frame["message"] for frame in frames if "message" in frame]
    assert ack == {"id": "m-1", "sequence": 1, "duplicate": False}
    assert (message["id"], message["from"], message["text"], message["clientId"]) == ("1", "consumer", "hi", "m-1")


async def test_pages_of_other_sites_may_not_open_a_stream(conversation: StartConversation) -> None:
    made = await conversation()
    protocols = ("botlane.v1", made.token)
    for origin in ("https://evil.example", "null", "http://evil.example:80"):
        assert await refused(made, protocols=protocols, headers={"Origin": origin}) == 403
        assert await refused(made, headers={"Origin": origin}) == 403


async def test_the_gateways_own_page_and_listed_origins_may_open_a_stream(start_gateway: StartGateway) -> None:
    gateway = await start_gateway(cors_origins=("https://shop.example",))
    async with gateway.client.post("/v1/bots/shop/conversations", json={}) as answer:
        made = Conversation(gateway, await answer.json())
    behind_a_proxy = gateway.url.replace("http://", "https://")
    for origin in ("https://shop.example", gateway.url, behind_a_proxy):
        async with made.client.ws_connect(
            f"{made.path}/stream", protocols=("botlane.v1", made.token), headers={"Origin": origin}
        ) as socket:
            assert socket.protocol == "botlane.v1"
    assert await refused(made, headers={"Origin": "https://evil.example"}) == 403


async def test_a_message_sent_twice_is_acknowledged_twice_and_taken_once(conversation: StartConversation) -> None:
    made = await conversation()
    async with await connected(made) as socket:
        await socket.send_json({"id": "m-1", "text": "hi"})
        await socket.send_json({"id": "m-1", "text": "hi"})
        frames = await received(socket, 3)
    assert [frame["ack"]["duplicate"] for frame in frames if "ack" in frame] == [False, True]
    assert len((await made.take()).events) == 1


async def test_replies_arrive_as_they_are_made(conversation: StartConversation) -> None:
    made = await conversation()
    async with await connected(made) as socket:
        await made.say("hi")
        await made.reply(TEXT, TEXT)
        frames = await received(socket, 3)
    assert [frame["message"]["from"] for frame in frames] == ["consumer", "bot", "bot"]


async def test_a_conversation_that_is_forgotten_ends_its_streams(conversation: StartConversation) -> None:
    made = await conversation()
    async with await connected(made) as socket:
        await made.say("hi")
        await received(socket, 1)
        assert (await made.mailbox.forget(made.id, made.user_id)).was_there
        [frame] = await received(socket, 1)
        assert frame["error"]["code"] == "not_found"
        assert (await socket.receive()).data == 4404


async def test_a_stream_resumes_after_its_cursor(conversation: StartConversation) -> None:
    made = await conversation()
    await made.say("one")
    async with await connected(made) as socket:
        cursor = (await received(socket, 1))[0]["message"]["id"]
    await made.say("two")
    async with await connected(made, cursor) as socket:
        assert (await received(socket, 1))[0]["message"]["text"] == "two"


async def test_a_stream_that_resumes_too_late_is_told_of_the_gap(conversation: StartConversation) -> None:
    made = await conversation()
    for _ in range(11):
        await made.say("fill")
        await made.reply(*[TEXT] * 100)
    async with await connected(made, "1") as socket:
        frames = await received(socket, 1001)
    assert frames[0] == {"gap": True}
    ids = [int(frame["message"]["id"]) for frame in frames[1:]]
    assert ids == sorted(ids)


async def test_the_token_may_come_as_the_first_frame(conversation: StartConversation) -> None:
    made = await conversation()
    await made.say("hi")
    async with made.client.ws_connect(f"{made.path}/stream") as socket:
        await socket.send_json({"token": made.token})
        assert (await received(socket, 1))[0]["message"]["text"] == "hi"


async def test_the_channel_key_opens_the_stream_of_what_it_created(conversation: StartConversation) -> None:
    made = await conversation(key=CHANNEL_KEY)
    headers = {"Authorization": f"Bearer {CHANNEL_KEY}"}
    async with made.client.ws_connect(f"{made.path}/stream", headers=headers) as socket:
        await socket.send_json({"text": "hi"})
        assert len(await received(socket, 2)) == 2


@pytest.mark.parametrize("frame", ['{"token": "x.y"}', "{}", "nonsense", '{"token": 5}', '{"text": "hi"}'])
async def test_a_first_frame_without_a_good_token_ends_the_stream(conversation: StartConversation, frame: str) -> None:
    made = await conversation()
    async with made.client.ws_connect(f"{made.path}/stream") as socket:
        await socket.send_str(frame)
        assert "error" in (await received(socket, 1))[0]
        assert await closed(socket) == (4401 if "x.y" in frame else 4400)


async def test_who_sends_no_token_in_time_is_shown_out(
    conversation: StartConversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.gateway.stream.FIRST_FRAME_SECONDS", 0.05)
    made = await conversation()
    async with made.client.ws_connect(f"{made.path}/stream") as socket:
        assert (await received(socket, 1))[0]["error"]["code"] == "unauthorized"
        assert await closed(socket) == 4401


async def test_the_first_frame_of_another_conversation_ends_the_stream(conversation: StartConversation) -> None:
    made, other = await conversation(), await conversation()
    async with made.client.ws_connect(f"{made.path}/stream") as socket:
        await socket.send_json({"token": other.token})
        assert await closed(socket) == 4403


async def test_a_handshake_is_judged_before_it_is_answered(conversation: StartConversation, redis: ArqRedis) -> None:
    made, other = await conversation(), await conversation()
    assert await refused(made, protocols=("botlane.v1", "x.y")) == 401
    assert await refused(made, protocols=("botlane.v1", other.token)) == 403
    assert await refused(made, protocols=(made.token,)) == 400
    assert await refused(made, params={"token": made.token}) == 400
    await redis.delete(keys.conv(made.id))
    assert await refused(made, protocols=("botlane.v1", made.token)) == 404


async def test_an_address_that_speaks_websocket_says_so(gateway: Gateway, conversation: StartConversation) -> None:
    made = await conversation()
    async with gateway.client.get(f"{made.path}/stream", headers=made.headers) as answer:
        error = await error_of(answer, 400)
    assert "WebSocket" in error["message"]


async def test_a_stream_ends_with_its_token(conversation: StartConversation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "TOKEN_SECONDS", 1)
    made = await conversation()
    async with made.client.ws_connect(f"{made.path}/stream") as socket:
        await socket.send_json({"token": made.token})
        assert await closed(socket) == 4401


@pytest.mark.parametrize(
    ("frame", "code", "field"),
    [
        ("{", "invalid_json", None),
        ('{"id": "m-1"}', "invalid_field", "text"),
        ('{"id": "m-1", "text": ""}', "invalid_field", "text"),
        ('{"id": "m-1", "text": "%s"}' % ("a" * 8001), "too_large", "text"),
        ('{"id": "m-1", "text": "a", "payload": "%s"}' % ("a" * 65536), "too_large", None),
    ],
)
async def test_a_frame_that_cannot_be_used_is_explained_and_the_stream_goes_on(
    conversation: StartConversation, frame: str, code: str, field: str | None
) -> None:
    made = await conversation()
    async with await connected(made) as socket:
        await socket.send_str(frame)
        (refusal,) = await received(socket, 1)
        assert refusal["error"]["code"] == code
        assert refusal["error"].get("field") == field
        assert refusal.get("id") == ("m-1" if "m-1" in frame else None)
        await socket.send_json({"text": "fine"})
        assert len(await received(socket, 2)) == 2


async def test_a_binary_frame_is_refused_and_the_stream_goes_on(conversation: StartConversation) -> None:
    made = await conversation()
    async with await connected(made) as socket:
        await socket.send_bytes(b"x")
        assert (await received(socket, 1))[0]["error"]["code"] == "invalid_request"
        await socket.send_json({"text": "fine"})
        assert len(await received(socket, 2)) == 2


async def test_a_frame_beyond_all_measure_ends_the_stream(conversation: StartConversation) -> None:
    made = await conversation()
    async with await connected(made) as socket:
        await socket.send_str("a" * 300_000)
        assert await closed(socket) == 1009


async def test_a_closed_conversation_refuses_messages_and_keeps_its_stream(conversation: StartConversation) -> None:
    made = await conversation()
    await made.close()
    async with await connected(made) as socket:
        frames = await received(socket, 2)
        assert frames[-1]["message"]["type"] == "closed"
        await socket.send_json({"text": "more"})
        assert (await received(socket, 1))[0]["error"]["code"] == "closed"


async def test_a_stream_whose_conversation_goes_ends(conversation: StartConversation, redis: ArqRedis) -> None:
    made = await conversation()
    async with await connected(made) as socket:
        await redis.delete(keys.conv(made.id))
        await socket.send_json({"text": "hi"})
        assert (await received(socket, 1))[0]["error"]["code"] == "not_found"
        assert await closed(socket) == 4404


async def test_a_stopping_gateway_closes_its_streams(gateway: Gateway, conversation: StartConversation) -> None:
    made = await conversation()
    async with await connected(made) as socket:
        await gateway.waited_at()
        stopping = asyncio.create_task(gateway.stop())
        assert await closed(socket) == 1001
        await stopping


async def test_a_slow_reader_holds_nobody_up(conversation: StartConversation) -> None:
    """A client that reads nothing keeps its stream, and a second one gets everything."""
    made = await conversation()
    long = {"from": "bot", "type": "text", "text": "x" * 7000}
    async with await connected(made) as slow, await connected(made) as quick:
        for _ in range(5):
            await made.say("hi")
            await made.reply(*[long] * 100)
        assert len(await received(quick, 505)) == 505
        assert len(await received(slow, 505)) == 505


async def test_who_leaves_frees_its_place(gateway: Gateway, conversation: StartConversation) -> None:
    made = await conversation()
    async with await connected(made) as socket:
        await socket.close()
    async with asyncio.timeout(60):
        while gateway.parts.notifications.listeners:
            await asyncio.sleep(0.01)
    assert socket.close_code is not None
    assert (await socket.receive()).type is WSMsgType.CLOSED


async def test_who_reads_nothing_for_long_is_cut_off(
    gateway: Gateway, conversation: StartConversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.gateway.stream._SEND_SECONDS", 0.3)
    made = await conversation()
    long = {"from": "bot", "type": "text", "text": "x" * 100_000}
    async with await connected(made) as socket:
        for _ in range(4):
            await made.say("hi")
            await made.reply(*[long] * 100)
        async with asyncio.timeout(60):
            while gateway.parts.notifications.listeners:
                await asyncio.sleep(0.05)
        assert not socket.closed  # this side was not asked
