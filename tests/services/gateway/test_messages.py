"""Messages in, replies out: dedupe, cursors, waiting, and what is refused."""

import asyncio
import json
import re

import msgspec
import pytest
from arq.connections import ArqRedis

from services.gateway import access
from services.gateway.tokens import Tokens, TokenWrong
from shared.dialog.events import ConsumerMessage
from shared.store import keys
from tests.services.gateway.loopback import SETTINGS, Conversation, Gateway, StartConversation, StartGateway, error_of

TEXT = {"from": "bot", "type": "text", "text": "hello"}


async def test_a_message_is_accepted_and_waits_for_the_bot(conversation: StartConversation) -> None:
    made = await conversation()
    accepted = await made.say("I want pizza", payload="PIZZA", metadata=[{"type": "ExternalId", "id": "7"}])
    assert set(accepted) == {"id", "sequence", "duplicate"}
    assert accepted["sequence"] == 1
    assert accepted["duplicate"] is False
    (event,) = (await made.take()).events
    assert event.kind == "message"
    assert event.sequence == 1
    said = msgspec.json.decode(event.body, type=ConsumerMessage)
    assert said == ConsumerMessage("I want pizza", "PIZZA", [{"type": "ExternalId", "id": "7"}])


async def test_the_same_id_again_is_the_same_message(conversation: StartConversation) -> None:
    made = await conversation()
    first = await made.say("one", id="m-1")
    again = await made.say("one", id="m-1")
    assert (first["sequence"], first["duplicate"]) == (1, False)
    assert again == {"id": "m-1", "sequence": 1, "duplicate": True}
    assert len((await made.take()).events) == 1


async def test_the_same_id_in_another_conversation_is_another_message(conversation: StartConversation) -> None:
    one, another = await conversation(), await conversation()
    await one.say("one", id="m-1")
    assert (await another.say("one", id="m-1"))["duplicate"] is False


async def test_a_message_without_id_gets_one(conversation: StartConversation) -> None:
    made = await conversation()
    one, another = await made.say("same"), await made.say("same")
    assert one["id"] != another["id"]
    assert another["sequence"] == 2


async def test_the_consumer_reads_both_sides_in_order(conversation: StartConversation) -> None:
    made = await conversation()
    await made.say("hi", id="m-1")
    await made.reply(TEXT, {"from": "bot", "type": "rich", "content": {"type": "text", "text": "x"}, "delayMs": 500})
    page = await made.read()
    assert page["cursor"] == page["messages"][-1]["id"]
    assert "gap" not in page
    asked, text, rich = page["messages"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", asked["at"])
    assert asked == {"id": "1", "at": asked["at"], "from": "consumer", "type": "text", "text": "hi", "clientId": "m-1"}
    assert text == {"id": text["id"], "at": text["at"], **TEXT}
    assert rich["content"] == {"type": "text", "text": "x"}
    assert rich["delayMs"] == 500
    assert int(asked["id"]) < int(text["id"]) < int(rich["id"])


async def test_after_a_cursor_only_newer_messages_are_read(conversation: StartConversation) -> None:
    made = await conversation()
    await made.say("one")
    first = await made.read()
    assert await made.read(after=first["cursor"]) == {"messages": [], "cursor": first["cursor"]}
    await made.say("two")
    second = await made.read(after=first["cursor"])
    assert [message["text"] for message in second["messages"]] == ["two"]


async def test_an_empty_conversation_is_read_from_its_start(conversation: StartConversation) -> None:
    assert await (await conversation()).read() == {"messages": [], "cursor": "0"}


async def test_a_cursor_older_than_what_is_kept_says_so(conversation: StartConversation) -> None:
    made = await conversation()
    await made.say("one")
    for _ in range(10):
        await made.say("fill")
        await made.reply(*[TEXT] * 100)
    page = await made.read(after="1")
    assert page["gap"] is True
    assert len(page["messages"]) == 200
    assert "gap" not in await made.read(after=page["cursor"])


async def test_a_reader_that_waits_is_woken_by_a_reply(gateway: Gateway, conversation: StartConversation) -> None:
    made = await conversation()
    await made.say("hi")
    waiting = asyncio.create_task(made.read(after="1", wait=30))
    await gateway.waited_at()
    assert not waiting.done()
    await made.reply(TEXT)
    assert [message["text"] for message in (await waiting)["messages"]] == ["hello"]


async def test_a_reader_is_woken_by_another_gateway(
    start_gateway: StartGateway, conversation: StartConversation
) -> None:
    here, there = await conversation(), await start_gateway()
    elsewhere = Conversation(there, {"conversationId": here.id, "userId": "", "token": here.token, "expiresAt": ""})
    waiting = asyncio.create_task(elsewhere.read(wait=30))
    await there.waited_at()
    await here.say("hi")
    assert [message["text"] for message in (await waiting)["messages"]] == ["hi"]


async def test_a_reader_that_waits_in_vain_gets_an_empty_page(conversation: StartConversation) -> None:
    made = await conversation()
    assert await made.read(wait=0.1) == {"messages": [], "cursor": "0"}


async def test_a_reader_notices_a_reply_whose_hint_was_lost(
    gateway: Gateway, conversation: StartConversation, monkeypatch: pytest.MonkeyPatch, redis: ArqRedis
) -> None:
    monkeypatch.setattr("services.gateway.notifications.REREAD_SECONDS", 0.2)
    made = await conversation()
    waiting = asyncio.create_task(made.read(wait=30))
    await gateway.waited_at()
    entry = b'7|1700000000000|{"from":"bot","type":"text","text":"quiet"}'
    async with redis.pipeline() as pipe:
        pipe.rpush(keys.outbox(made.id), entry)
        await pipe.execute()
    assert (await waiting)["messages"][0]["text"] == "quiet"


async def test_a_stopping_gateway_answers_those_who_wait(gateway: Gateway, conversation: StartConversation) -> None:
    made = await conversation()
    waiting = asyncio.create_task(made.read(wait=30))
    await gateway.waited_at()
    await gateway.stop()
    assert await waiting == {"messages": [], "cursor": "0"}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("after=x", "after"),
        ("after=-1", "after"),
        ("after=1e9", "after"),
        ("wait=31", "wait"),
        ("wait=-1", "wait"),
        ("wait=nan", "wait"),
        ("wait=x", "wait"),
    ],
)
async def test_a_query_that_cannot_be_used_is_named(
    gateway: Gateway, conversation: StartConversation, query: str, field: str
) -> None:
    made = await conversation()
    async with gateway.client.get(f"{made.path}/messages?{query}", headers=made.headers) as answer:
        assert (await error_of(answer, 400))["field"] == field


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "text"),
        ({"text": None}, "text"),
        ({"text": 5}, "text"),
        ({"text": ""}, "text"),
        ({"text": "a", "id": ""}, "id"),
        ({"text": "a", "id": "i" * 129}, "id"),
        ({"text": "a", "payload": {}}, "payload"),
        ({"text": "a", "metadata": {}}, "metadata"),
        ({"text": "a", "metadata": [5]}, "metadata[0]"),
        ({"text": "a", "metadata": [{"deep": json.loads("[" * 70 + "]" * 70)}]}, "metadata"),
    ],
)
async def test_a_message_that_cannot_be_used_is_explained(
    gateway: Gateway, conversation: StartConversation, body: dict[str, object], field: str
) -> None:
    made = await conversation()
    async with gateway.client.post(f"{made.path}/messages", json=body, headers=made.headers) as answer:
        error = await error_of(answer, 400)
    assert error["code"] == "invalid_field"
    assert error["field"] == field


async def test_metadata_may_hold_numbers_that_no_session_holds(conversation: StartConversation) -> None:
    made = await conversation()
    await made.say("a", metadata=[{"type": "id", "number": 10**30}])
    (event,) = (await made.take()).events
    said = msgspec.json.decode(event.body, type=ConsumerMessage)
    assert msgspec.msgpack.encode(said.metadata) == msgspec.msgpack.encode([{"type": "id", "number": 1e30}])


async def test_a_tap_on_a_control_without_a_label_is_a_message(conversation: StartConversation) -> None:
    assert (await (await conversation()).say("", payload="BUTTON"))["sequence"] == 1


async def test_8000_characters_are_a_message_and_one_more_is_too_much(
    gateway: Gateway, conversation: StartConversation
) -> None:
    made = await conversation()
    await made.say("ü" * 8000)
    async with gateway.client.post(f"{made.path}/messages", json={"text": "a" * 8001}, headers=made.headers) as answer:
        error = await error_of(answer, 413)
    assert error["field"] == "text"
    assert "8,000" in error["message"]


async def test_nobody_without_a_token_gets_in(gateway: Gateway, conversation: StartConversation) -> None:
    made = await conversation()
    for headers in ({}, {"Authorization": "Bearer"}, {"Authorization": "Basic dTpw"}, {"Authorization": "Bearer x.y"}):
        async with gateway.client.get(f"{made.path}/messages", headers=headers) as answer:
            error = await error_of(answer, 401)
        assert error["code"] == "unauthorized"
        async with gateway.client.post(f"{made.path}/messages", json={"text": "a"}, headers=headers) as answer:
            await error_of(answer, 401)


async def test_a_token_opens_its_own_conversation_only(gateway: Gateway, conversation: StartConversation) -> None:
    made, other = await conversation(), await conversation()
    for method, path in (("GET", "messages"), ("POST", "messages"), ("POST", "token"), ("GET", "messages?wait=5")):
        async with gateway.client.request(
            method, f"{made.path}/{path}", json={"text": "a"}, headers=other.headers
        ) as answer:
            error = await error_of(answer, 403)
        assert error["code"] == "forbidden"


async def test_an_expired_token_is_told_from_a_wrong_one(
    gateway: Gateway, conversation: StartConversation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "TOKEN_SECONDS", -1)
    made = await conversation()
    async with gateway.client.get(f"{made.path}/messages", headers=made.headers) as answer:
        error = await error_of(answer, 401)
    assert error["code"] == "token_expired"


async def test_tokens_of_an_older_secret_stay_valid(
    start_gateway: StartGateway, conversation: StartConversation
) -> None:
    old = await conversation()
    newer = await start_gateway(secrets=("a-newer-secret-for-tests", *SETTINGS.secrets))
    async with newer.client.get(f"{old.path}/messages", headers=old.headers) as answer:
        assert answer.status == 200
    fresh = await conversation(newer)
    with pytest.raises(TokenWrong):
        Tokens(SETTINGS.secrets).verify("conversation", fresh.token, 0)


async def test_a_conversation_that_is_gone_is_not_found(
    gateway: Gateway, conversation: StartConversation, redis: ArqRedis
) -> None:
    made = await conversation()
    await redis.delete(keys.conv(made.id))
    for method, path in (("GET", "messages"), ("POST", "messages"), ("POST", "token"), ("GET", "messages?wait=5")):
        async with gateway.client.request(
            method, f"{made.path}/{path}", json={"text": "a"}, headers=made.headers
        ) as answer:
            await error_of(answer, 404)


async def test_a_closed_conversation_takes_no_messages_but_is_read(
    gateway: Gateway, conversation: StartConversation
) -> None:
    made = await conversation()
    await made.close()
    async with gateway.client.post(f"{made.path}/messages", json={"text": "a"}, headers=made.headers) as answer:
        error = await error_of(answer, 410)
    assert error["code"] == "closed"
    assert (await made.read())["messages"][-1]["type"] == "closed"


async def test_a_full_inbox_asks_to_come_back(start_gateway: StartGateway, conversation: StartConversation) -> None:
    gateway = await start_gateway(inbox_limit=2)
    made = await conversation(gateway)
    await made.say("one")
    await made.say("two")
    async with gateway.client.post(f"{made.path}/messages", json={"text": "three"}, headers=made.headers) as answer:
        error = await error_of(answer, 429)
        assert int(answer.headers["Retry-After"]) > 0
    assert error["code"] == "inbox_full"
