"""Compiled bots by version."""

import asyncio

import pytest
from arq.connections import ArqRedis

from services.integration_worker import bots as module
from services.integration_worker.bots import BotUnusable, CompiledBots
from shared.store import keys
from shared.store.bots import Bots
from tests.services.integration_worker.calling import Waiting, responder


async def test_a_version_is_compiled_once_for_all_who_ask(waiting: Waiting) -> None:
    await waiting.publish(responder("It", "https://a.example"))
    bots = CompiledBots(waiting.bots)
    first, second = await asyncio.gather(bots.get(waiting.version), bots.get(waiting.version))
    assert first is second
    await waiting.redis.delete(keys.bot_version(waiting.version))
    assert await bots.get(waiting.version) is first


async def test_a_version_that_was_missing_is_looked_for_again(waiting: Waiting) -> None:
    bots = CompiledBots(waiting.bots)
    await waiting.publish(responder("It", "https://a.example"))
    blob = await waiting.bots.blob(waiting.version)
    assert blob is not None
    await waiting.redis.delete(keys.bot_version(waiting.version))
    with pytest.raises(BotUnusable, match="deploy the bot again"):
        await bots.get(waiting.version)
    await waiting.redis.set(keys.bot_version(waiting.version), blob)
    assert (await bots.get(waiting.version)).id == "bot"


async def test_content_that_is_no_bot_is_unusable(redis: ArqRedis) -> None:
    await redis.set(keys.bot_version("f" * 64), b"damaged")
    with pytest.raises(BotUnusable, match="cannot be compiled"):
        await CompiledBots(Bots(redis, 60)).get("f" * 64)


async def test_only_the_versions_used_last_are_kept(waiting: Waiting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BOTS", 2)
    bots = CompiledBots(waiting.bots)
    versions = []
    for name in ("a", "b", "c"):
        await waiting.publish(responder(name, "https://a.example"))
        versions.append(waiting.version)
        await bots.get(waiting.version)
    for version in versions:
        await waiting.redis.delete(keys.bot_version(version))
    with pytest.raises(BotUnusable):
        await bots.get(versions[0])
    assert (await bots.get(versions[2])).id == "bot"
