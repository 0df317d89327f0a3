"""Receipts: owners of forms see what became of a call, and nothing else."""

import asyncio
import hashlib
import html
import json
import re
import time
from asyncio.subprocess import PIPE
from typing import Any

import pytest
from arq.connections import ArqRedis

from shared.privacy.form_token import FormToken, FormTokens, whose
from shared.queue.records import Commit, DeadEvent
from shared.store import keys
from tests.journeys.system import clean_environment
from tests.services.gateway.loopback import SETTINGS, Conversation, Gateway, StartConversation, StartGateway, error_of

PATH = "/thirdparty-services-0.1/webview"
SECRET = "a-value-nobody-else-may-see"
HTML = {"Accept": "text/html,application/xhtml+xml"}


async def post(on: Gateway, made: Conversation, **fields: Any) -> str:
    checksum = hashlib.sha256(f"{made.id} || shop".encode()).hexdigest()
    body = {"botId": "shop", "conversationId": made.id, "userId": made.user_id, **fields}
    async with on.client.post(PATH, json=body, headers={"Authorization": checksum}) as answer:
        assert answer.status == 200, await answer.text()
        return str((await answer.json())["receipt"])


async def told(on: Gateway, receipt: str) -> dict[str, Any]:
    async with on.client.get(f"/v1/receipts/{receipt}") as answer:
        assert answer.status == 200, await answer.text()
        assert answer.headers["Cache-Control"] == "no-store"
        return dict(await answer.json())


async def page(on: Gateway, receipt: str) -> str:
    async with on.client.get(f"/v1/receipts/{receipt}", headers=HTML) as answer:
        assert answer.status == 200
        assert answer.content_type == "text/html"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        return await answer.text()


async def commit(made: Conversation, *facts: tuple[str, str], **fields: Any) -> None:
    """Handle one event as a worker would, with these facts about receipts."""
    batch = await made.take()
    named = [(receipt.rpartition("-")[0], fact) for receipt, fact in facts]
    done = Commit(fence=batch.fence, next_fence="next", consumed=1, receipts=named, **fields)
    await made.mailbox.commit(made.id, done)


async def test_a_receipt_tells_that_a_call_waits(gateway: Gateway, conversation: StartConversation) -> None:
    made = await conversation()
    receipt = await post(gateway, made, message=SECRET, contextVariables={"size": SECRET})
    found = await told(gateway, receipt)
    assert set(found) == {"receipt", "state", "acceptedAt", "variables", "message", "readBy"}
    assert (found["receipt"], found["state"], found["variables"]) == (receipt, "accepted", 1)
    assert (found["message"], found["readBy"]) == ("queued", [])


async def test_a_receipt_tells_that_a_call_was_applied_and_who_read_it(
    gateway: Gateway, conversation: StartConversation
) -> None:
    made = await conversation()
    receipt = await post(gateway, made, message="done", contextVariables={"size": SECRET})
    await commit(made, (receipt, "applied"), (receipt, "routed"), (receipt, "read:Ask size"))
    first = await told(gateway, receipt)
    assert (first["state"], first["message"]) == ("applied", "routed")
    assert first["acceptedAt"] <= first["appliedAt"]
    assert first["readBy"] == [{"interaction": "Ask size", "at": first["appliedAt"]}]
    await made.say("again")
    await commit(made, (receipt, "read:Ask size"), (receipt, "read:Sum up"))
    second = await told(gateway, receipt)
    assert [reader["interaction"] for reader in second["readBy"]] == ["Ask size", "Sum up"]
    assert second["readBy"][0] == first["readBy"][0]  # the first time counts


@pytest.mark.parametrize("word", ["kept", "dropped"])
async def test_a_receipt_tells_what_became_of_the_message(
    gateway: Gateway, conversation: StartConversation, word: str
) -> None:
    made = await conversation()
    receipt = await post(gateway, made, message="done")
    await commit(made, (receipt, "applied"), (receipt, word))
    assert (await told(gateway, receipt))["message"] == word


async def test_variables_alone_have_no_message(gateway: Gateway, conversation: StartConversation) -> None:
    made = await conversation()
    assert (await told(gateway, await post(gateway, made, contextVariables={"a": "1"})))["message"] == "none"


async def test_a_late_message_is_told_as_late(
    gateway: Gateway, conversation: StartConversation, redis: ArqRedis
) -> None:
    made = await conversation()
    async with redis.pipeline() as pipe:
        pipe.hset(keys.conv(made.id), "said", "1")
        await pipe.execute()
    receipt = await post(gateway, made, message="late", contextVariables={"a": "1"})
    assert (await told(gateway, receipt))["message"] == "late"
    await commit(made, (receipt, "applied"))
    found = await told(gateway, receipt)
    assert (found["state"], found["message"]) == ("applied", "late")
    assert "24 hours" in await page(gateway, receipt)


async def test_a_call_that_waits_when_the_conversation_ends_is_told_as_ended(
    gateway: Gateway, conversation: StartConversation
) -> None:
    made = await conversation()
    await made.say("bye")
    receipt = await post(gateway, made, message="too slow", contextVariables={"receipt": '"receipt":"0-00"}'})
    await commit(made, status="closed")
    assert (await told(gateway, receipt))["state"] == "ended"
    assert "conversation was over" in await page(gateway, receipt)


async def test_a_call_that_waits_when_the_conversation_expires_is_told_as_ended(
    gateway: Gateway, conversation: StartConversation, redis: ArqRedis
) -> None:
    made = await conversation()
    receipt = await post(gateway, made, message="done")
    await redis.delete(keys.conv(made.id))
    assert (await told(gateway, receipt))["state"] == "ended"


async def test_a_call_that_the_bot_failed_on_is_told_as_given_up_until_it_is_applied(
    gateway: Gateway, conversation: StartConversation
) -> None:
    made = await conversation()
    receipt = await post(gateway, made, contextVariables={"a": "1"})
    await commit(made, (receipt, "given-up"), dead=[DeadEvent("engine", "web_view", b"{}")])
    assert (await told(gateway, receipt))["state"] == "given-up"
    await made.say("later")
    await commit(made, (receipt, "applied"))
    assert (await told(gateway, receipt))["state"] == "applied"


async def test_the_same_call_twice_has_one_receipt_and_another_call_another(
    gateway: Gateway, conversation: StartConversation
) -> None:
    made = await conversation()
    first = await post(gateway, made, message="done")
    assert await post(gateway, made, message="done") == first
    assert (await post(gateway, made, message="other")).split("-")[1] != first.split("-")[1]


async def test_a_receipt_lives_for_a_day_and_no_turn_brings_one_back(
    gateway: Gateway, conversation: StartConversation, redis: ArqRedis
) -> None:
    made = await conversation()
    receipt = await post(gateway, made, message="done")
    key = keys.receipt(receipt.rpartition("-")[0])
    assert 86_390_000 < await redis.pttl(key) <= 86_400_000
    assert 86_390_000 < await redis.pttl(keys.receipts(made.id)) <= 86_400_000
    await redis.delete(key)
    await commit(made, (receipt, "applied"))
    assert not await redis.exists(key)
    async with gateway.client.get(f"/v1/receipts/{receipt}") as answer:
        assert "24 hours" in (await error_of(answer, 404))["message"]


@pytest.mark.parametrize("receipt", ["x", "0-" + "0" * 32 + "-1", "..", "0-" + "0" * 32 + "-x", "99999-" + "f" * 32])
async def test_what_is_no_receipt_is_not_found(gateway: Gateway, receipt: str) -> None:
    async with gateway.client.get(f"/v1/receipts/{receipt}") as answer:
        await error_of(answer, 404)


async def test_the_page_says_the_same_and_offers_a_command(gateway: Gateway, conversation: StartConversation) -> None:
    made = await conversation()
    receipt = await post(gateway, made, message=SECRET, contextVariables={SECRET: SECRET})
    waiting = await page(gateway, receipt)
    assert ">Look again</a>" in waiting
    await commit(made, (receipt, "applied"), (receipt, "routed"), (receipt, "read:Ask <b>size</b>"))
    done = await page(gateway, receipt)
    assert ">Look again</a>" not in done
    assert "Ask &lt;b&gt;size&lt;/b&gt;" in done
    assert f"curl {gateway.url}/v1/receipts/{receipt}" in done
    assert "/thirdparty-services-0.1/webview" in done
    for shown in (waiting, done):
        assert SECRET not in shown
        assert made.id not in shown


async def test_a_browser_gets_a_page_also_when_there_is_no_receipt(gateway: Gateway) -> None:
    async with gateway.client.get(f"/v1/receipts/0-{'0' * 32}-1", headers=HTML) as answer:
        assert (answer.status, answer.content_type) == (404, "text/html")
        assert "There is no such receipt: it is kept for 24 hours" in await answer.text()
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


async def test_the_commands_of_the_page_work(gateway: Gateway, conversation: StartConversation) -> None:
    made = await conversation()
    shown = html.unescape(await page(gateway, await post(gateway, made, message="done")))
    ask, by_hash, by_token = re.findall(r"<pre><code>(.*?)</code></pre>", shown, re.DOTALL)
    whose_it_is = whose("shop", made.user_id)
    token = FormToken("id", made.id, whose_it_is, ("size",), round(time.time() * 1000) + 60_000, once=False)
    names = {"BOT": "shop", "CONVERSATION": made.id, "USER_ID": made.user_id}
    names["TOKEN"] = FormTokens(SETTINGS.secrets).make(token)
    for command, word in ((ask, "state"), (by_hash, "receipt"), (by_token, "receipt")):
        ran = await asyncio.create_subprocess_exec(
            "sh", "-c", command, env=clean_environment() | names, stdout=PIPE, stderr=PIPE
        )
        said, _ = await ran.communicate()
        assert word in json.loads(said), said
    assert [json.loads(event.body).get("variables") for event in (await made.take()).events] == [
        None,
        {"size": "M"},
        {"size": "M"},
    ]


async def test_neither_receipt_nor_page_shows_a_value(gateway: Gateway, conversation: StartConversation) -> None:
    made = await conversation()
    receipt = await post(gateway, made, message=SECRET, contextVariables={SECRET: SECRET})
    for headers in ({}, HTML):
        async with gateway.client.get(f"/v1/receipts/{receipt}", headers=headers) as answer:
            text = await answer.text()
        assert SECRET not in text
        assert made.id not in text
        assert made.user_id not in text


async def test_the_page_of_a_form_may_ask_and_one_of_another_origin_may_not_read(
    start_gateway: StartGateway, conversation: StartConversation
) -> None:
    listed = await start_gateway(web_view_origins=("https://forms.example",))
    made = await conversation(listed)
    receipt = await post(listed, made, message="done")
    for origin, seen in (("https://forms.example", "https://forms.example"), ("https://other.example", None)):
        async with listed.client.get(f"/v1/receipts/{receipt}", headers={"Origin": origin}) as answer:
            assert answer.headers.get("Access-Control-Allow-Origin") == seen


async def test_behind_a_proxy_of_ours_the_command_has_the_address_that_people_use(
    start_gateway: StartGateway, conversation: StartConversation
) -> None:
    gateway = await start_gateway(trusted_proxies=("127.0.0.1",))
    made = await conversation(gateway)
    receipt = await post(gateway, made, message="done")
    asked = {**HTML, "X-Forwarded-Proto": "https", "Host": "chat.example"}
    async with gateway.client.get(f"/v1/receipts/{receipt}", headers=asked) as answer:
        assert f"curl https://chat.example/v1/receipts/{receipt}" in await answer.text()
