"""Sensitive variables from end to end: no key of Redis, no trace, no page, no file and no log has their values."""

import asyncio
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web
from arq.connections import ArqRedis

from shared.bot.source import BotSource
from shared.privacy.masking import MASK
from shared.store.bots import Bots
from tests.journeys.consumer import Consumer
from tests.journeys.counting_bot import BOT_ID, _call, _dialog, _integration, _text
from tests.journeys.programs import Programs
from tests.journeys.redis_contents import keys_with
from tests.journeys.system import LoopbackApi, clean_environment

CARD, MAIL = "4111-CANARY-1111", "canary@example.org"
MANIFEST = '[egress]\nprivate = ["127.0.0.0/8"]\n[privacy]\nsensitive = ["card*", "email", "api_Check"]\n'
KEEP = """
var card = botContext.getWebViewVariable('card');
botContext.setBotVariable('cardNumber', card, true, false);
botContext.setBotVariable('email', botContext.getWebViewVariable('email'), false, true);
botContext.setContextDataForConversation('shop', 'card', card);
botContext.setContextDataForUser('shop', 'card', {number: card});
botContext.printDebugMessage('the card is ' + card);
"""
TRANSFORM = "botContext.setBotVariable('cardChecked', botContext.getBotVariable('api_Check').jsonData, true, false);"


def shop(api: str) -> bytes:
    """A bot that keeps what a form posted in every scope there is, and sends it to an API."""
    check = _integration("Check", "POST", f"{api}/cards/{{$botContext.cardNumber}}", '{"mail": "{$botContext.email}"}')
    interactions = [
        *_dialog("keeping", ["keep*"], [_text("kept", "It is kept.", KEEP)]),
        *_dialog("checking", ["check*"], [_call("call", "Check"), _text("checked", "It is checked.")]),
        *_dialog("closing", ["bye"], [_text("closed", "LP_CLOSECONVERSATION")]),
    ]
    export = {
        "bot": {"id": BOT_ID, "name": "Shop", "getStartedButtonPayload": "keep it"},
        "groups": [{"id": name, "name": name} for name in ("keeping", "checking", "closing")],
        "conversationMessage": interactions,
        "responder": [check | {"transformResultsScript": TRANSFORM}],
    }
    return json.dumps(export).encode()


@pytest.fixture(scope="module")
def api() -> Iterator[LoopbackApi]:
    with LoopbackApi() as server:
        yield server


async def fill_in(consumer: Consumer, size: str = "XXL") -> None:
    """Post the card and the address as a form does."""
    body = {"botId": BOT_ID, "conversationId": consumer.conversation_id, "userId": consumer.user_id}
    digest = hashlib.sha256(f"{consumer.conversation_id} || {BOT_ID}".encode()).hexdigest()
    variables = [{"name": "card", "value": CARD}, {"name": "email", "value": MAIL}, {"name": "size", "value": size}]
    path, headers = "/thirdparty-services-0.1/webview", {"Authorization": digest}
    status, answer = await consumer.request("POST", path, json={**body, "contextVariables": variables}, headers=headers)
    assert (status, answer["variables"]) == (200, 3)


async def printed(url: str, *words: str, **environment: str) -> str:
    """Run a command and return all it prints."""
    command = [sys.executable, "-m", "services.cli", *words]
    variables = {**clean_environment(), "BOTLANE_REDIS_URL": url, **environment}
    ended = await asyncio.to_thread(subprocess.run, command, env=variables, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return str(ended.stdout + ended.stderr)


async def test_what_a_bot_names_as_sensitive_lies_open_nowhere(
    valkey_server: str, redis: ArqRedis, api: LoopbackApi, tmp_path: Path
) -> None:
    open_in: list[str] = []

    def look() -> None:
        open_in.extend(keys_with(valkey_server, CARD, MAIL))

    async def answer(request: web.Request) -> web.Response:
        assert (await request.json()) == {"mail": MAIL}
        await asyncio.to_thread(look)  # while the call runs
        return web.json_response({"number": request.path.rpartition("/")[2]})

    api.answers[f"/cards/{CARD}"] = answer
    bot = tmp_path / "shop.json"
    bot.write_bytes(shop(api.url))
    bot.with_suffix(".botlane.toml").write_text(MANIFEST)
    await Bots(redis, 3600).publish(BotSource(shop(api.url), MANIFEST))
    with Programs(valkey_server, tmp_path, BOTLANE_CONSOLE="1") as programs:
        programs.start("gateway", "integration_worker")
        await programs.ready("gateway", "integration_worker")
        async with Consumer(programs.url, BOT_ID) as consumer:
            await fill_in(consumer)
            look()  # while it waits in the inbox
            programs.start("dialog_worker")
            await consumer.say("keep it")
            await consumer.hears("It is kept.")
            look()
            await consumer.say("check it")
            await consumer.hears("It is checked.")
            look()
            shown = json.dumps(await consumer.trace(), ensure_ascii=False)
            conversation = consumer.conversation_id
            told = await printed(valkey_server, "trace", conversation)
            target = tmp_path / "recorded.yaml"
            options = ("--record", str(target), "--conversation", conversation, "--from", programs.url)
            told += await printed(valkey_server, "test", str(bot), *options)
            await close_with_an_event_waiting(programs, consumer)
            look()
            [letter] = json.loads(await printed(valkey_server, "dead", "list", "--json"))
            told += await printed(valkey_server, "dead", "show", letter["id"], "--values")
        recorded = target.read_text()
        logs = "".join(programs.log(name) for name in ("gateway", "dialog_worker", "integration_worker"))
    assert open_in == []
    for text in (shown, told, recorded, logs):
        assert CARD not in text
        assert MAIL not in text
    assert f"the card is {MASK}" in shown
    assert f"/cards/{MASK}" in shown
    assert "XXL" in shown
    assert f"card: {MASK}" in recorded


async def close_with_an_event_waiting(programs: Programs, consumer: Consumer) -> None:
    """Let a form post between the words that close the conversation and the turn that does."""
    programs.kill("dialog_worker")
    await consumer.say("bye")
    await fill_in(consumer, "S")  # the same body again would be the same call
    programs.start("dialog_worker")
    await consumer.sees("closed")


async def test_what_is_not_named_is_found_where_it_always_was(
    valkey_server: str, redis: ArqRedis, api: LoopbackApi, tmp_path: Path
) -> None:
    plain = MANIFEST.replace("card*", "card").partition("[privacy]")[0]
    await Bots(redis, 3600).publish(BotSource(shop(api.url), plain))
    with Programs(valkey_server, tmp_path) as programs:
        programs.start("gateway", "dialog_worker")
        await programs.ready("gateway", "dialog_worker")
        async with Consumer(programs.url, BOT_ID) as consumer:
            await fill_in(consumer)
            await consumer.say("keep it")
            await consumer.hears("It is kept.")
            wanted, kinds = {"session", "context", "user", "context-user"}, set[str]()
            for _ in range(1000):  # the last two come after the answer
                kinds = {key.partition(":")[0] for key in keys_with(valkey_server, CARD, MAIL)}
                if wanted <= kinds:
                    break
                await asyncio.sleep(0.02)
    assert wanted <= kinds
