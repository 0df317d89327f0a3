"""Bots in Redis: the current version stays, a replaced one lives as long as conversations do."""

import json
from typing import Any

import pytest

from shared.bot.errors import BotError
from shared.bot.source import BotSource, open_blob
from shared.store import keys
from shared.store.bots import Bots

Raw = Any  # redis' own annotations leave open whether a command is to be awaited
TTL = 1000


def source(name: str, **settings: Any) -> BotSource:
    export = {"bot": {"id": "b", "name": name, **settings}, "groups": [], "conversationMessage": []}
    return BotSource(json.dumps(export).encode(), "greet = true\n")


async def test_a_published_bot_is_found_with_what_a_conversation_needs(redis: Raw) -> None:
    bots = Bots(redis, TTL)
    assert await bots.current("b") is None
    published = await bots.publish(source("One", sessionLength=5, getStartedButtonPayload="start"))
    assert await bots.current("b") == published
    assert (published.name, published.session_ms, published.greeting, published.greet) == (
        "One",
        300_000,
        "start",
        True,
    )
    blob = await bots.blob(published.version)
    assert blob is not None
    assert open_blob(blob).version == published.version
    assert [bot.id for bot in await bots.published()] == ["b"]


async def test_a_bot_that_does_not_compile_is_not_published(redis: Raw) -> None:
    with pytest.raises(BotError):
        await Bots(redis, TTL).publish(BotSource(b"{}"))
    assert await redis.keys("*") == []


async def test_a_replaced_version_lives_as_long_as_conversations_and_the_current_one_for_good(redis: Raw) -> None:
    bots = Bots(redis, TTL)
    first, second = await bots.publish(source("One")), await bots.publish(source("Two"))
    assert 0 < await redis.ttl(keys.bot_version(first.version)) <= TTL
    assert await redis.ttl(keys.bot_version(second.version)) == -1
    await bots.publish(source("One"))
    assert await redis.ttl(keys.bot_version(first.version)) == -1
    assert 0 < await redis.ttl(keys.bot_version(second.version)) <= TTL


async def test_a_replaced_version_on_which_turns_run_is_renewed(redis: Raw) -> None:
    bots = Bots(redis, TTL)
    first, _ = await bots.publish(source("One")), await bots.publish(source("Two"))
    await redis.expire(keys.bot_version(first.version), 10)
    await bots.keep(first.version, "b")
    assert await redis.ttl(keys.bot_version(first.version)) > 10


async def test_a_current_version_that_would_expire_is_kept_for_good(redis: Raw) -> None:
    bots = Bots(redis, TTL)
    current = await bots.publish(source("One"))
    await redis.expire(keys.bot_version(current.version), 10)
    await bots.keep(current.version, "b")
    assert await redis.ttl(keys.bot_version(current.version)) == -1
