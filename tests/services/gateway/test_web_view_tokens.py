"""Safe mode: tokens that scripts make, what they are for, and that they end; the checksum of two ids is refused there."""

import time
from typing import Any

import msgspec
import pytest
from aiohttp import ClientResponse
from arq.connections import ArqRedis

from shared.bot.source import BotSource
from shared.dialog.events import WebViewCall
from shared.privacy.form_token import FormToken, FormTokens, new_id, whose
from shared.queue.origins import read_origins
from shared.store import keys
from shared.store.bots import Bots
from tests.services.gateway.loopback import EXPORT, SETTINGS, Conversation, Gateway, StartConversation, StartGateway
from tests.services.gateway.test_webview import checksum, failure_of

PATH = "/thirdparty-services-0.1/webview"
SAFE = '[web_view]\nmode = "safe"\n'


def token(made: Conversation, *names: str, seconds: float = 60, **more: Any) -> str:
    fields: dict[str, Any] = {
        "id": new_id(),
        "conversation_id": made.id,
        "whose": whose("shop", made.user_id),
        "names": names,
        "till": round((time.time() + seconds) * 1000),
        "once": False,
    }
    return FormTokens(SETTINGS.secrets).make(FormToken(**(fields | more)))


async def post(on: Gateway, authorization: str, **body: Any) -> ClientResponse:
    answer = await on.client.post(PATH, json=body, headers={"Authorization": authorization})
    await answer.read()
    return answer


async def taken(made: Conversation) -> list[WebViewCall]:
    events = [msgspec.json.decode(event.body, type=WebViewCall) for event in (await made.take()).events]
    return [msgspec.structs.replace(event, receipt="") for event in events]


@pytest.fixture
async def safe(redis: ArqRedis, bots: Bots) -> None:
    await bots.publish(BotSource(msgspec.json.encode(EXPORT), SAFE))


async def test_a_token_needs_no_ids(gateway: Gateway, conversation: StartConversation, safe: None) -> None:
    made = await conversation()
    answer = await post(gateway, f"Bearer {token(made, 'size')}", message="done", contextVariables={"size": "M"})
    assert answer.status == 200, await answer.text()
    assert await taken(made) == [WebViewCall({"size": "M"}, "done")]


async def test_a_token_counts_in_compatible_mode_too(gateway: Gateway, conversation: StartConversation) -> None:
    made = await conversation()
    assert (await post(gateway, f"bearer  {token(made, 'size')} ", contextVariables={"size": "M"})).status == 200


async def test_a_variable_that_the_token_does_not_name_is_left_out_and_reported(
    gateway: Gateway, conversation: StartConversation
) -> None:
    made = await conversation()
    posted = {"size": "M", "isAdmin": "true", "__proto__": "x"}
    answer = await post(gateway, f"Bearer {token(made, 'size')}", contextVariables=posted)
    said = await answer.json()
    assert (said["variables"], [entry["index"] for entry in said["ignored"]]) == (1, [1, 2])
    assert "getWebViewToken" in said["ignored"][0]["reason"]
    assert await taken(made) == [WebViewCall({"size": "M"})]


async def test_a_token_that_names_no_variables_says_a_message_only(
    gateway: Gateway, conversation: StartConversation
) -> None:
    made = await conversation()
    answer = await post(gateway, f"Bearer {token(made)}", message="done", contextVariables={"size": "M"})
    assert (await answer.json())["variables"] == 0


async def test_safe_mode_refuses_the_checksum_and_says_what_to_do(
    gateway: Gateway, conversation: StartConversation, safe: None
) -> None:
    made = await conversation()
    ids = {"botId": "shop", "conversationId": made.id, "userId": made.user_id}
    for given in (checksum(made.id, "shop"), "0" * 64):
        error = await failure_of(await post(gateway, given, **ids, message="done"), 401)
        for word in ("[web_view]", "getWebViewToken", "Bearer", "/webview.js"):
            assert word in error["message"]
    other_bot = ids | {"botId": "compatible-bot"}  # of which nothing is known: that is no way round
    for given in (checksum(made.id, "shop"), checksum(made.id, "compatible-bot")):
        assert (await post(gateway, given, **other_bot, message="done")).status in (401, 404)


async def test_a_call_with_a_token_is_none_of_those_that_use_the_hash(
    gateway: Gateway, conversation: StartConversation, redis: ArqRedis
) -> None:
    made = await conversation()
    ids = {"botId": "shop", "conversationId": made.id, "userId": made.user_id}
    for given in (f"Bearer {token(made)}", checksum(made.id, "shop")):
        assert (await post(gateway, given, **ids, message="done")).status == 200
    assert [(use.origin, use.calls) for use in await read_origins(redis, "shop", 1)] == [("", 1)]


async def test_origins_are_noted_as_browsers_write_them_and_others_as_none(
    gateway: Gateway, conversation: StartConversation, redis: ArqRedis
) -> None:
    made = await conversation()
    body = {"botId": "shop", "conversationId": made.id, "userId": made.user_id}
    hashed = {"Authorization": checksum(made.id, "shop")}
    for number, origin in enumerate(("https://Forms.example:8443", "null", "*", "https://a b", "<b>", "x" * 400)):
        asked = hashed | {"Origin": origin}
        async with gateway.client.post(PATH, json=body | {"message": f"{number}"}, headers=asked) as answer:
            assert answer.status == 200
    noted = {use.origin: use.calls for use in await read_origins(redis, "shop", 1)}
    assert noted == {"https://forms.example:8443": 1, "null": 5}


async def test_the_mode_is_that_of_the_version_published_last(
    gateway: Gateway, conversation: StartConversation, bots: Bots
) -> None:
    made = await conversation()
    ids = {"botId": "shop", "conversationId": made.id, "userId": made.user_id}
    statuses = []
    for manifest in ("", SAFE, '[web_view]\nmode = "compatible"\n'):
        await bots.publish(BotSource(msgspec.json.encode(EXPORT), manifest))
        statuses.append((await post(gateway, checksum(made.id, "shop"), **ids, message=manifest)).status)
    assert statuses == [200, 401, 200]


async def test_a_token_ends_by_the_time_of_redis(gateway: Gateway, conversation: StartConversation) -> None:
    made = await conversation()
    error = await failure_of(await post(gateway, f"Bearer {token(made, seconds=-1)}", message="done"), 401)
    assert error["code"] == "token_expired"
    assert "open the form again" in error["message"]


async def test_a_token_that_ended_meanwhile_is_refused_for_a_double_click_too(
    gateway: Gateway, conversation: StartConversation
) -> None:
    made = await conversation()
    for once in (False, True):
        alive, ended = (token(made, id=f"same {once}", once=once, seconds=seconds) for seconds in (60, -1))
        answers = [await post(gateway, f"Bearer {one}", message="done") for one in (alive, ended, alive)]
        assert [answer.status for answer in answers] == [200, 401, 200]
        assert (await failure_of(answers[1], 401))["code"] == "token_expired"
        assert await answers[0].json() == await answers[2].json()


async def test_what_another_credential_has_just_sent_is_no_double_click(
    gateway: Gateway, conversation: StartConversation
) -> None:
    made = await conversation()
    used = f"Bearer {token(made, once=True)}"
    assert (await post(gateway, used, message="first")).status == 200
    ids = {"botId": "shop", "conversationId": made.id, "userId": made.user_id}
    others = [f"Bearer {token(made)}", f"Bearer {token(made)}", checksum(made.id, "shop")]
    receipts = {(await (await post(gateway, one, **ids, message="done")).json())["receipt"] for one in others}
    assert len(receipts) == 3
    assert (await failure_of(await post(gateway, used, message="done"), 403))["code"] == "token_used"
    assert len((await made.take()).events) == 4


async def test_a_token_for_one_use_is_used_up_whoever_is_quicker(
    start_gateway: StartGateway, conversation: StartConversation
) -> None:
    gateways = [await start_gateway() for _ in range(2)]
    made = await conversation(gateways[0])
    once = f"Bearer {token(made, 'size', once=True)}"
    first = await post(gateways[0], once, message="done")
    assert first.status == 200
    error = await failure_of(await post(gateways[1], once, message="other"), 403)
    assert error["code"] == "token_used"
    assert len((await made.take()).events) == 1


async def test_the_one_use_sent_again_is_answered_alike_also_after_seconds(
    gateway: Gateway, conversation: StartConversation, redis: ArqRedis
) -> None:
    made = await conversation()
    once = f"Bearer {token(made, once=True)}"
    first = await (await post(gateway, once, message="done")).json()
    async for name in redis.scan_iter("posted:*"):
        await redis.delete(name)  # two seconds are over
    assert await (await post(gateway, once, message="done")).json() == first
    assert len((await made.take()).events) == 1


async def test_what_is_kept_of_a_used_token_ends_with_it(
    gateway: Gateway, conversation: StartConversation, redis: ArqRedis
) -> None:
    made = await conversation()
    await post(gateway, f"Bearer {token(made, once=True, id='abc')}", message="done")
    assert 0 < await redis.pttl(keys.used(made.id, "abc")) <= 60_000


async def test_a_token_that_counts_more_than_once_takes_several_calls(
    gateway: Gateway, conversation: StartConversation
) -> None:
    made = await conversation()
    several = f"Bearer {token(made)}"
    assert [(await post(gateway, several, message=text)).status for text in ("a", "b")] == [200, 200]


@pytest.mark.parametrize(
    ("field", "value"), [("botId", "other"), ("conversationId", "0-" + "0" * 32), ("userId", "other")]
)
async def test_ids_beside_a_token_must_fit_it(
    gateway: Gateway, conversation: StartConversation, field: str, value: str
) -> None:
    made = await conversation()
    error = await failure_of(await post(gateway, f"Bearer {token(made)}", **{field: value}), 404)
    assert error["field"] == field


@pytest.mark.parametrize("whose_else", [whose("other", "u"), b""])
async def test_a_token_of_another_consumer_or_bot_opens_nothing(
    gateway: Gateway, conversation: StartConversation, whose_else: bytes
) -> None:
    made = await conversation()
    await failure_of(await post(gateway, f"Bearer {token(made, whose=whose_else)}", message="x"), 404)


async def test_a_token_of_a_closed_conversation_opens_nothing(
    gateway: Gateway, conversation: StartConversation
) -> None:
    made = await conversation()
    await made.close()
    await failure_of(await post(gateway, f"Bearer {token(made)}", message="x"), 404)


async def test_what_is_no_token_of_ours_is_refused(gateway: Gateway, conversation: StartConversation) -> None:
    made = await conversation()
    good = token(made)
    foreign = FormTokens(("another-secret-of-somebody",)).make(
        FormToken("i", made.id, whose("shop", made.user_id), (), 2**50, once=False)
    )
    middle = len(good) // 2
    changed = good[:middle] + ("A" if good[middle] != "A" else "B") + good[middle + 1 :]
    for bad in ("x", "wv1.", "ü", good[:-1], changed, foreign, made.token):
        error = await failure_of(await post(gateway, f"Bearer {bad}", message="x"), 401)
        assert "getWebViewToken" in error["message"]


async def test_a_token_tells_nothing_of_what_it_is_for(gateway: Gateway, conversation: StartConversation) -> None:
    made = await conversation()
    assert not any(part in token(made, "size") for part in (made.id, made.user_id, "size"))


async def test_a_replaced_secret_still_opens_tokens(
    start_gateway: StartGateway, conversation: StartConversation
) -> None:
    gateway = await start_gateway(secrets=("a-newer-secret-for-tests", *SETTINGS.secrets))
    made = await conversation(gateway)
    assert (await post(gateway, f"Bearer {token(made)}", message="done")).status == 200
