"""`botlane forms`: which origins still use the hash that anybody can make, and when."""

import json
from typing import Any

import msgspec
import pytest
from arq.connections import ArqRedis

from shared.bot.source import BotSource
from shared.queue.mailbox import Mailbox
from shared.queue.records import NewConversation, WebViewTerms
from shared.store import keys
from shared.store.bots import Bots
from tests.services.cli.test_commands import botlane
from tests.services.gateway.loopback import EXPORT


@pytest.fixture
async def mailbox(redis: ArqRedis) -> Mailbox:
    await Bots(redis, 3600).publish(BotSource(msgspec.json.encode(EXPORT)))
    return Mailbox(redis, conversation_ttl=3600, inbox_limit=1000, trace_ttl=60)


async def fill(mailbox: Mailbox, *origins: str | None, shard: int = 0) -> None:
    """Post forms from these origins into a conversation of its own; None is a form with a token."""
    talk = keys.new_conversation_id(shard)
    await mailbox.create(NewConversation(talk, "shop", "user", "lp_web"))
    for number, origin in enumerate(origins):
        terms = WebViewTerms(bot_id="shop", origin=origin)
        assert (await mailbox.ingest_web_view(talk, str(number), b"{}", None, terms)).outcome == "accepted"


def listed(url: str, **settings: str) -> list[Any]:
    ended = botlane("forms", "--json", BOTLANE_REDIS_URL=url, **settings)
    assert ended.returncode == 0, ended.stderr
    return list(json.loads(ended.stdout))


async def test_origins_are_listed_with_how_often_and_when(valkey_server: str, mailbox: Mailbox) -> None:
    await fill(mailbox, "https://a.example", "https://a.example", "", None)
    await fill(mailbox, "https://a.example", shard=1)
    [shop] = listed(valkey_server, BOTLANE_SHARDS="2")
    assert (shop["bot"], shop["mode"]) == ("shop", "compatible")
    assert {one["origin"]: one["calls"] for one in shop["origins"]} == {"https://a.example": 3, "": 1}
    assert all(one["first"] <= one["last"] for one in shop["origins"])
    said = botlane("forms", BOTLANE_REDIS_URL=valkey_server).stdout
    assert "Shop (shop): compatible mode" in said
    assert "https://a.example  last 20" in said
    assert "2 calls" in said
    assert "a program, not a page" in said


async def test_a_bot_whose_forms_use_tokens_has_none(valkey_server: str, mailbox: Mailbox) -> None:
    await fill(mailbox, None, None)
    assert "no form has used the hash" in botlane("forms", BOTLANE_REDIS_URL=valkey_server).stdout


async def test_what_is_kept_of_origins_is_bounded(valkey_server: str, mailbox: Mailbox, redis: ArqRedis) -> None:
    await fill(mailbox, *(f"https://{number}.example" for number in range(105)), "https://0.example")
    key = keys.origins(0, "shop")
    assert await redis.hlen(key) == 101  # type: ignore[misc]
    assert 29 * 86400 < await redis.ttl(key) <= 30 * 86400
    [shop] = listed(valkey_server)
    calls = {one["origin"]: one["calls"] for one in shop["origins"]}
    assert (calls["*"], calls["https://0.example"], calls["https://99.example"]) == (5, 2, 1)


def test_without_bots_it_says_how_to_publish_one(valkey_server: str, redis: ArqRedis) -> None:
    ended = botlane("forms", BOTLANE_REDIS_URL=valkey_server)
    assert (ended.returncode, ended.stdout) == (0, "")
    assert "botlane deploy" in ended.stderr
