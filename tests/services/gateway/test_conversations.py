"""Creating conversations: who may claim what, how often, on which bot."""

import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from shared.bot.source import BotSource
from shared.queue.records import Profile
from shared.store.bots import Bots
from tests.services.gateway.loopback import (
    CHANNEL_KEY,
    EXPORT,
    OTHER_KEY,
    Gateway,
    StartConversation,
    StartGateway,
    error_of,
)

CREATE = "/v1/bots/shop/conversations"
CLAIMS = {"userId": "u-1", "customerInfo": {"customerId": "c-1"}, "personalInfo": {"firstname": "Ada"}}


def bearer(credential: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {credential}"}


async def test_anybody_may_create_a_conversation_and_gets_a_token_for_24_hours(gateway: Gateway) -> None:
    async with gateway.client.post(CREATE, json={}) as answer:
        assert answer.status == 201
        created = await answer.json()
    assert set(created) == {"conversationId", "userId", "token", "expiresAt"}
    left = datetime.fromisoformat(created["expiresAt"]) - datetime.now(UTC)
    assert timedelta(hours=23, minutes=59) < left <= timedelta(hours=24)
    assert created["expiresAt"].endswith("Z")


async def test_a_conversation_is_created_without_a_body(gateway: Gateway) -> None:
    async with gateway.client.post(CREATE) as answer:
        assert answer.status == 201


async def test_every_conversation_has_a_user_of_its_own(conversation: StartConversation) -> None:
    one, another = await conversation(), await conversation()
    assert one.user_id != another.user_id
    assert one.id != another.id


async def test_a_conversation_is_on_one_of_the_shards(
    start_gateway: StartGateway, conversation: StartConversation
) -> None:
    gateway = await start_gateway(shards=3)
    shards = {(await conversation(gateway)).id.partition("-")[0] for _ in range(40)}
    assert shards == {"0", "1", "2"}


@pytest.mark.parametrize("claim", CLAIMS)
async def test_an_anonymous_caller_cannot_claim(gateway: Gateway, claim: str) -> None:
    async with gateway.client.post(CREATE, json={claim: CLAIMS[claim]}) as answer:
        error = await error_of(answer, 401)
    assert error["field"] == claim
    assert "channel key" in error["message"]


async def test_a_channel_names_its_user_and_what_it_knows_of_them(conversation: StartConversation) -> None:
    made = await conversation(key=CHANNEL_KEY, channel="lp_sms", engagementAttributes={"os": "mac"}, **CLAIMS)
    assert made.user_id == "u-1"
    about = await made.mailbox.about(made.id)
    assert about is not None
    assert (about.bot_id, about.user_id, about.channel_key, about.status) == ("shop", "u-1", "web", "open")
    await made.say()
    batch = await made.take()
    assert batch.channel == "lp_sms"
    profile = msgspec.msgpack.decode(batch.profile, type=Profile)
    assert profile == Profile({"os": "mac"}, {"customerId": "c-1"}, {"firstname": "Ada"})


async def test_a_number_that_no_session_holds_may_be_claimed(conversation: StartConversation) -> None:
    made = await conversation(key=CHANNEL_KEY, customerInfo={"customerId": 10**30})
    await made.say()
    profile = msgspec.msgpack.decode((await made.take()).profile, type=Profile)
    assert profile.customer_info == {"customerId": 1e30}


async def test_an_anonymous_caller_may_say_where_it_comes_from(conversation: StartConversation) -> None:
    made = await conversation(channel="lp_web", engagementAttributes={"campaignId": "7"})
    await made.say()
    profile = msgspec.msgpack.decode((await made.take()).profile, type=Profile)
    assert profile == Profile({"campaignId": "7"})


async def test_without_keys_on_a_machine_of_ones_own_anybody_may_claim(
    start_gateway: StartGateway, conversation: StartConversation
) -> None:
    gateway = await start_gateway(keyless=True)
    assert (await conversation(gateway, **CLAIMS)).user_id == "u-1"
    # a name of another site that was made to lead here; a page that is let in for other things; one of this machine
    for foreign in ({"Host": "elsewhere.example:8080"}, {"Origin": "https://elsewhere.example"}, {"Origin": "null"}):
        async with gateway.client.post(CREATE, json=CLAIMS, headers=foreign) as answer:
            assert (await error_of(answer, 401))["field"] == "userId"
    async with gateway.client.post(CREATE, json=CLAIMS, headers={"Origin": "http://localhost:3000"}) as answer:
        assert answer.status == 201


async def test_a_wrong_channel_key_is_refused(gateway: Gateway) -> None:
    async with gateway.client.post(CREATE, json=CLAIMS, headers=bearer("no-such-channel-key")) as answer:
        error = await error_of(answer, 401)
    assert "BOTLANE_CHANNEL_KEYS" in error["message"]
    assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_a_conversation_token_is_no_channel_key(gateway: Gateway, conversation: StartConversation) -> None:
    made = await conversation()
    async with gateway.client.post(CREATE, json={}, headers=made.headers) as answer:
        await error_of(answer, 401)


async def test_an_unknown_bot_is_not_found(gateway: Gateway) -> None:
    async with gateway.client.post("/v1/bots/nobody/conversations", json={}) as answer:
        error = await error_of(answer, 404)
    assert "bot" in error["message"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"channel": 5}, "channel"),
        ({"channel": ""}, "channel"),
        ({"engagementAttributes": []}, "engagementAttributes"),
        ({"engagementAttributes": {"os": 5}}, "engagementAttributes[...]"),
        ({"userId": "u" * 257}, "userId"),
        ({"customerInfo": "none"}, "customerInfo"),
        ({"customerInfo": {"deep": json.loads("[" * 70 + "]" * 70)}}, "customerInfo"),
    ],
)
async def test_a_field_that_cannot_be_used_is_named(gateway: Gateway, body: dict[str, object], field: str) -> None:
    async with gateway.client.post(CREATE, json=body, headers=bearer(CHANNEL_KEY)) as answer:
        error = await error_of(answer, 400)
    assert error["field"] == field


async def test_an_address_may_create_so_many_conversations_and_is_told_when_the_next(
    start_gateway: StartGateway,
) -> None:
    gateway = await start_gateway(create_rate=3)
    for _ in range(3):
        async with gateway.client.post(CREATE, json={}) as answer:
            assert answer.status == 201
    async with gateway.client.post(CREATE, json={}) as answer:
        error = await error_of(answer, 429)
        assert 1 <= int(answer.headers["Retry-After"]) <= 20
    assert error["code"] == "rate_limited"


async def test_behind_a_trusted_proxy_each_caller_has_a_limit_of_its_own(start_gateway: StartGateway) -> None:
    gateway = await start_gateway(create_rate=1, trusted_proxies=("127.0.0.0/8",))
    for caller, status in (("203.0.113.1", 201), ("203.0.113.2", 201), ("203.0.113.1", 429)):
        async with gateway.client.post(CREATE, json={}, headers={"X-Forwarded-For": caller}) as answer:
            assert answer.status == status


async def test_a_caller_that_is_no_trusted_proxy_cannot_invent_addresses(start_gateway: StartGateway) -> None:
    gateway = await start_gateway(create_rate=1)
    for caller, status in (("203.0.113.1", 201), ("203.0.113.2", 429)):
        async with gateway.client.post(CREATE, json={}, headers={"X-Forwarded-For": caller}) as answer:
            assert answer.status == status


async def test_a_channel_is_not_limited_but_guessing_its_key_is(start_gateway: StartGateway) -> None:
    gateway = await start_gateway(create_rate=1)
    for key, status in ((CHANNEL_KEY, 201), (CHANNEL_KEY, 201), ("a-guess", 401), ("a-guess", 429)):
        async with gateway.client.post(CREATE, json={}, headers=bearer(key)) as answer:
            assert answer.status == status


async def test_a_token_is_renewed_while_it_is_valid(gateway: Gateway, conversation: StartConversation) -> None:
    made = await conversation()
    async with gateway.client.post(f"{made.path}/token", headers=made.headers) as answer:
        assert answer.status == 200
        renewed = await answer.json()
    assert set(renewed) == {"token", "expiresAt"}
    made.headers = bearer(renewed["token"])
    await made.say()


async def test_the_channel_key_renews_tokens_and_stands_in_for_them(
    gateway: Gateway, conversation: StartConversation
) -> None:
    made = await conversation(key=CHANNEL_KEY)
    async with gateway.client.post(f"{made.path}/token", headers=bearer(CHANNEL_KEY), json={}) as answer:
        assert answer.status == 200
    made.headers = bearer(CHANNEL_KEY)
    await made.say("from the channel")
    assert (await made.read())["messages"][0]["text"] == "from the channel"


async def test_a_channel_key_opens_only_what_it_created(gateway: Gateway, conversation: StartConversation) -> None:
    for made in (await conversation(), await conversation(key=OTHER_KEY)):
        async with gateway.client.get(f"{made.path}/messages", headers=bearer(CHANNEL_KEY)) as answer:
            error = await error_of(answer, 403)
        assert error["code"] == "forbidden"


@pytest.mark.parametrize("unknown", ["0-00000000000000000000000000000000", "nonsense", "0-" + "f" * 400])
async def test_a_channel_asking_for_a_conversation_that_is_not_there_gets_404(gateway: Gateway, unknown: str) -> None:
    async with gateway.client.get(f"/v1/conversations/{unknown}/messages", headers=bearer(CHANNEL_KEY)) as answer:
        await error_of(answer, 404)


async def test_a_bot_that_greets_hears_its_greeting_first(bots: Bots, gateway: Gateway) -> None:
    export = EXPORT | {"bot": EXPORT["bot"] | {"id": "greeter"}}
    await bots.publish(BotSource(msgspec.json.encode(export), "greet = true"))
    async with gateway.client.post("/v1/bots/greeter/conversations", json={}) as answer:
        created = await answer.json()
    path = f"/v1/conversations/{created['conversationId']}/messages"
    async with gateway.client.get(path, headers=bearer(created["token"])) as answer:
        messages = (await answer.json())["messages"]
    assert [message["text"] for message in messages] == ["hello"]
