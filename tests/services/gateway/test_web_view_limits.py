"""How often, how much and from where forms may post: each refusal names its limit and the setting that moves it."""

import hashlib
from typing import Any

import pytest
from aiohttp import ClientResponse
from arq.connections import ArqRedis

from services.gateway import web_view_variables
from services.settings import SettingsError
from shared.store import keys
from tests.services.gateway.loopback import Conversation, Gateway, StartConversation, StartGateway

PATH = "/thirdparty-services-0.1/webview"
FORM = "https://forms.example"


async def post(on: Gateway, made: Conversation, headers: dict[str, str] | None = None, **fields: Any) -> ClientResponse:
    checksum = hashlib.sha256(f"{made.id} || shop".encode()).hexdigest()
    body = {"botId": "shop", "conversationId": made.id, "userId": made.user_id, **fields}
    answer = await on.client.post(PATH, json=body, headers={"Authorization": checksum} | (headers or {}))
    await answer.read()
    return answer


async def refusal(answer: ClientResponse, status: int, setting: str, number: str = "") -> dict[str, Any]:
    """A refusal in the shape of the Web View address that names the limit and how to move it."""
    body = await answer.json()
    assert answer.status == status, body
    assert body["success"] is False
    message: str = body["error"]["message"]
    assert setting in message
    assert number in message
    return dict(body["error"])


async def now(redis: Any) -> float:
    """The server's clock in whole ms, as its scripts count."""
    seconds, micros = await redis.time()
    return float(seconds * 1000 + micros // 1000)


async def test_a_conversation_takes_thirty_calls_a_minute(
    gateway: Gateway, conversation: StartConversation, redis: ArqRedis
) -> None:
    made, other = await conversation(), await conversation()
    begun = await now(redis)
    for number in range(30):
        assert (await post(gateway, made, contextVariables={"n": number})).status == 200
    till, ended = float(await redis.get(keys.taken(made.id)) or 0), await now(redis)
    assert begun + 60_000 <= till <= ended + 60_000
    room = 30_000  # for a machine that is slow: two seconds after the thirtieth there is a place again
    await redis.set(keys.taken(made.id), f"{ended + 60_000 + room:.3f}", ex=60)
    answer = await post(gateway, made, contextVariables={"n": 30})
    error = await refusal(answer, 429, "BOTLANE_WEB_VIEW_RATE", "30")
    assert error["code"] == "rate_limited"
    assert 1 <= int(answer.headers["Retry-After"]) <= 2 + room / 1000
    assert len((await made.take()).events) == 16  # of the thirty, as many as one owner is given
    assert (await post(gateway, other)).status == 200


async def test_a_call_sent_again_does_not_count_and_one_that_was_refused_neither(
    start_gateway: StartGateway, conversation: StartConversation
) -> None:
    gateway = await start_gateway(web_view_rate=2)
    made = await conversation(gateway)
    for _ in range(3):
        assert (await post(gateway, made, message="once")).status == 200
    assert (await post(gateway, made, message="twice")).status == 200
    assert (await post(gateway, made, message="too often")).status == 429
    assert (await post(gateway, made, message="once")).status == 200  # still the first one


async def test_all_gateways_count_together(start_gateway: StartGateway, conversation: StartConversation) -> None:
    gateways = [await start_gateway(web_view_rate=3) for _ in range(2)]
    made = await conversation(gateways[0])
    statuses = [(await post(gateways[n % 2], made, message=str(n))).status for n in range(4)]
    assert statuses == [200, 200, 200, 429]


async def test_an_address_may_post_so_often_whatever_becomes_of_it(
    start_gateway: StartGateway, conversation: StartConversation
) -> None:
    gateway = await start_gateway(web_view_address_rate=3, trusted_proxies=("127.0.0.1",))
    made = await conversation(gateway)
    here, there = {"X-Forwarded-For": "203.0.113.5"}, {"X-Forwarded-For": "203.0.113.6"}
    wrong = here | {"Authorization": "0" * 64}
    assert [(await post(gateway, made, wrong)).status for _ in range(3)] == [401, 401, 401]
    answer = await post(gateway, made, here)
    await refusal(answer, 429, "BOTLANE_WEB_VIEW_ADDRESS_RATE", "3")
    assert int(answer.headers["Retry-After"]) <= 20
    assert (await post(gateway, made, there)).status == 200


async def test_what_cannot_be_read_and_guessed_tokens_count_for_their_address(
    start_gateway: StartGateway, conversation: StartConversation
) -> None:
    gateway = await start_gateway(web_view_address_rate=2)
    made = await conversation(gateway)
    guess = {"Authorization": "Bearer guess"}
    assert (await post(gateway, made, guess)).status == 401
    async with gateway.client.post(PATH, data=b"{", headers={"Authorization": "0"}) as answer:
        assert answer.status == 400
    answer = await post(gateway, made, guess)
    await refusal(answer, 429, "BOTLANE_WEB_VIEW_ADDRESS_RATE", "2")


async def test_what_was_counted_is_given_back_and_forgotten(
    start_gateway: StartGateway, conversation: StartConversation, redis: ArqRedis
) -> None:
    gateway = await start_gateway(web_view_rate=2)
    made = await conversation(gateway)
    for number in range(2):
        await post(gateway, made, message=str(number))
    key = keys.taken(made.id)
    till = float(await redis.get(key) or 0)
    assert 0 < await redis.pttl(key) <= 60_000
    await redis.set(key, f"{till - 30_000:.3f}", ex=60)  # half a minute later
    assert [(await post(gateway, made, message=text)).status for text in ("a", "b")] == [200, 429]


@pytest.mark.parametrize("number", [199, 200])
async def test_two_hundred_variables_are_taken(conversation: StartConversation, gateway: Gateway, number: int) -> None:
    made = await conversation()
    entries = [{"name": f"v{n}", "value": n} for n in range(number)]
    assert (await (await post(gateway, made, contextVariables=entries)).json())["variables"] == number


@pytest.mark.parametrize("shape", [list, dict])
async def test_more_variables_than_the_cap_are_refused_whole(
    gateway: Gateway, conversation: StartConversation, shape: type
) -> None:
    made = await conversation()
    given: Any = {f"v{n}": "x" for n in range(201)}
    if shape is list:
        given = [{"name": name, "value": value} for name, value in given.items()]
    error = await refusal(await post(gateway, made, contextVariables=given), 413, "BOTLANE_WEB_VIEW_VARIABLES", "200")
    assert (error["code"], error["field"]) == ("too_large", "contextVariables")
    assert (await (await post(gateway, made)).json())["receipt"].endswith("-1")  # nothing came before it


@pytest.mark.parametrize("value", ["x" * 8193, "ü" * 4097, "\U0001f6b2" * 2049, ["x" * 8000, "y" * 200]])
async def test_a_variable_larger_than_its_cap_is_named(
    gateway: Gateway, conversation: StartConversation, value: Any
) -> None:
    made = await conversation()
    given = [{"name": "small", "value": "x" * 8192}, {"name": "large", "value": value}]
    error = await refusal(
        await post(gateway, made, contextVariables=given), 413, "BOTLANE_WEB_VIEW_VARIABLE_SIZE", "8 KiB"
    )
    assert error["field"] == "contextVariables[1].value"


async def test_a_name_has_the_cap_of_a_value(gateway: Gateway, conversation: StartConversation) -> None:
    made = await conversation()
    answer = await post(gateway, made, contextVariables={"n" * 8193: "x"})
    assert (await refusal(answer, 413, "BOTLANE_WEB_VIEW_VARIABLE_SIZE"))["field"] == "contextVariables[0].name"


@pytest.mark.parametrize("value", [[0] * 15_000, [[0]] * 7_400, {str(one): [{}] for one in range(7_400)}])
async def test_a_call_with_very_many_small_entries_is_refused_before_they_become_text(
    gateway: Gateway, conversation: StartConversation, monkeypatch: pytest.MonkeyPatch, value: object
) -> None:
    made = await conversation()
    given = [{"name": "a", "value": [1, {"b": 2}]}, {"name": "b", "value": value}]
    monkeypatch.setattr(web_view_variables, "MOST_ENTRIES", 14_802)
    taken: list[object] = []
    monkeypatch.setattr(web_view_variables, "storable", taken.append)
    answer = await post(gateway, made, contextVariables=given)
    assert (await refusal(answer, 413, "14,802 entries"))["field"] == "contextVariables[1].value"
    assert taken == [[1, {"b": 2}]]


async def test_every_cap_is_a_setting(start_gateway: StartGateway, conversation: StartConversation) -> None:
    gateway = await start_gateway(web_view_body=2048, web_view_variables=1, web_view_variable_size=1000)
    made = await conversation(gateway)
    assert (await post(gateway, made, contextVariables={"a": "x" * 1000})).status == 200
    await refusal(await post(gateway, made, contextVariables={"a": "x" * 1001}), 413, "1000 bytes")
    await refusal(await post(gateway, made, contextVariables={"a": 1, "b": 2}), 413, "at most 1 ")
    await refusal(await post(gateway, made, message="x" * 2048), 413, "BOTLANE_WEB_VIEW_BODY", "2 KiB")


async def test_only_listed_origins_may_post_and_read_the_answer(
    start_gateway: StartGateway, conversation: StartConversation
) -> None:
    gateway = await start_gateway(web_view_origins=(FORM,))
    made = await conversation(gateway)
    answer = await post(gateway, made, {"Origin": FORM})
    assert answer.status == 200
    assert (answer.headers["Access-Control-Allow-Origin"], answer.headers["Vary"]) == (FORM, "Origin")
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    foreign = await post(gateway, made, {"Origin": "https://other.example"})
    await refusal(foreign, 403, "BOTLANE_WEB_VIEW_ORIGINS")
    assert not [name for name in foreign.headers if name.startswith("Access-Control-Allow-")]
    assert (await post(gateway, made, message="from a server")).status == 200  # no browser, no origin


@pytest.mark.parametrize(("origin", "status"), [(FORM, 204), ("https://other.example", 403), ("null", 403)])
async def test_a_preflight_tells_which_origins_may_post(start_gateway: StartGateway, origin: str, status: int) -> None:
    gateway = await start_gateway(web_view_origins=(FORM,))
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    async with gateway.client.options(PATH, headers=headers) as answer:
        assert answer.status == status
        assert answer.headers.get("Access-Control-Allow-Origin") == (origin if status == 204 else None)
        assert answer.headers.get("Access-Control-Allow-Credentials") == ("true" if status == 204 else None)
        assert status == 204 or "BOTLANE_WEB_VIEW_ORIGINS" in await answer.text()


async def test_errors_can_be_read_by_the_pages_that_may_post(
    start_gateway: StartGateway, conversation: StartConversation
) -> None:
    gateway = await start_gateway(web_view_origins=(FORM,))
    made = await conversation(gateway)
    answer = await post(gateway, made, {"Origin": FORM, "Authorization": "0" * 64})
    assert answer.status == 401
    assert answer.headers["Access-Control-Allow-Origin"] == FORM


@pytest.mark.parametrize(
    ("forwarded", "status"),
    [("198.51.100.7", 200), ("198.51.101.7", 403), ("2001:db8::5", 200), ("2001:db9::5", 403), ("nonsense", 403)],
)
async def test_only_listed_addresses_may_post_also_behind_a_proxy(
    start_gateway: StartGateway, conversation: StartConversation, forwarded: str, status: int
) -> None:
    gateway = await start_gateway(
        web_view_addresses=("198.51.100.0/24", "2001:db8::/32"), trusted_proxies=("127.0.0.1",)
    )
    made = await conversation(gateway)
    answer = await post(gateway, made, {"X-Forwarded-For": forwarded})
    assert answer.status == status
    if status == 403:
        await refusal(answer, 403, "BOTLANE_WEB_VIEW_ADDRESSES")


async def test_an_address_that_no_proxy_of_ours_tells_is_not_believed(
    start_gateway: StartGateway, conversation: StartConversation
) -> None:
    gateway = await start_gateway(web_view_addresses=("198.51.100.0/24",))
    made = await conversation(gateway)
    assert (await post(gateway, made, {"X-Forwarded-For": "198.51.100.7"})).status == 403


async def test_a_list_of_addresses_that_are_none_is_refused_at_the_start(start_gateway: StartGateway) -> None:
    with pytest.raises(SettingsError, match="BOTLANE_WEB_VIEW_ADDRESSES"):
        await start_gateway(web_view_addresses=("office",))
