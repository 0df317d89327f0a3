"""What forms bring to bots that name sensitive variables: sealed before it is stored."""

import base64
import hashlib
from typing import Any

import msgspec
import pytest

from shared.bot.source import BotSource
from shared.dialog.events import WebViewCall
from shared.privacy.conversation_key import ConversationKeys
from shared.privacy.forms import open_form
from shared.store import keys
from shared.store.bots import Bots
from tests.journeys.redis_contents import keys_with
from tests.services.gateway.loopback import EXPORT, SETTINGS, Conversation, StartConversation

CARD = "4111-CANARY"
ID = "0-" + "1" * 32
KEYS = ConversationKeys(SETTINGS.secrets)
SENSITIVE = BotSource(msgspec.json.encode(EXPORT), '[privacy]\nsensitive = ["card*"]\n')


async def post(made: Conversation, message: str | None = None, /, **variables: str) -> dict[str, Any]:
    checksum = hashlib.sha256(f"{made.id} || shop".encode()).hexdigest()
    body = {"botId": "shop", "conversationId": made.id, "userId": made.user_id, "contextVariables": variables}
    body |= {} if message is None else {"message": message}
    path, headers = "/thirdparty-services-0.1/webview", {"Authorization": checksum}
    async with made.client.post(path, json=body, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()  # type: ignore[no-any-return]


async def taken(made: Conversation) -> WebViewCall:
    """The event as a worker finds it, opened with the conversation's key."""
    batch = await made.mailbox.begin(made.id, "job", "fence")
    call = msgspec.json.decode(batch.events[-1].body, type=WebViewCall)  # type: ignore[union-attr] # it is a batch
    assert (call.variables, call.message) == ({}, None)
    return open_form(call, ConversationKeys(SETTINGS.secrets).open(made.id, batch.seal))  # type: ignore[union-attr]


async def test_variables_wait_sealed_and_open_with_the_conversations_key(
    bots: Bots, conversation: StartConversation, valkey_server: str
) -> None:
    await bots.publish(SENSITIVE)
    made = await conversation()
    assert (await post(made, card=CARD, size="L"))["variables"] == 2
    assert keys_with(valkey_server, CARD) == []
    assert (await taken(made)).variables == {"card": CARD, "size": "L"}


@pytest.mark.parametrize("variables", [{}, {"size": "L"}])
async def test_a_message_waits_sealed_and_stands_only_among_what_was_said(
    bots: Bots, conversation: StartConversation, valkey_server: str, variables: dict[str, str]
) -> None:
    await bots.publish(SENSITIVE)
    made = await conversation()
    assert (await post(made, CARD, **variables))["message"] == "queued"
    assert keys_with(valkey_server, CARD) == [keys.outbox(made.id)]
    call = await taken(made)
    assert (call.variables, call.message) == (variables, CARD)


async def test_a_message_that_comes_too_late_stands_nowhere(
    bots: Bots, conversation: StartConversation, valkey_server: str, redis: Any
) -> None:
    await bots.publish(SENSITIVE)
    made = await conversation()
    await redis.hset(keys.conv(made.id), "said", "1")
    assert (await post(made, CARD))["message"] == "late"
    assert keys_with(valkey_server, CARD) == []


def test_what_an_older_gateway_sealed_is_read() -> None:
    key = KEYS.open(ID, KEYS.fresh(ID))
    sealed = base64.b64encode(key.seal(msgspec.msgpack.encode({"size": "L"}), "web_view")).decode()
    assert open_form(WebViewCall(message="done", sealed=sealed), key) == WebViewCall({"size": "L"}, "done")


async def test_the_same_form_posted_twice_is_one_although_it_is_never_sealed_alike(
    bots: Bots, conversation: StartConversation
) -> None:
    await bots.publish(SENSITIVE)
    made = await conversation()
    assert (await post(made, card=CARD))["receipt"] == (await post(made, card=CARD))["receipt"]


async def test_a_conversation_older_than_what_its_bot_names_gets_its_key_with_a_form(
    bots: Bots, conversation: StartConversation, valkey_server: str
) -> None:
    made = await conversation()
    await bots.publish(SENSITIVE)
    await post(made, card=CARD)
    assert keys_with(valkey_server, CARD) == []
    assert (await taken(made)).variables == {"card": CARD}


async def test_a_bot_that_names_nothing_gets_forms_as_they_are(conversation: StartConversation) -> None:
    made = await conversation()
    await post(made, size="L")
    [event] = (await made.take()).events
    assert msgspec.json.decode(event.body, type=WebViewCall).variables == {"size": "L"}
