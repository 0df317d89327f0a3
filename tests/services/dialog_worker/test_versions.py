"""Bot versions as the worker keeps them: renewed while turns run on them, and not with every turn."""

import asyncio

import pytest
from arq.connections import ArqRedis

from services.dialog_worker.versions import Facts, VersionGone, Versions
from shared.store import keys
from shared.store.bots import Bots
from tests.services.dialog_worker.conversations import BOT_ID, small_bot


async def replaced(redis: ArqRedis) -> tuple[Bots, str]:
    """Publish two versions; return the first."""
    bots = Bots(redis, 1000)
    first = await bots.publish(small_bot("one"))
    await bots.publish(small_bot("two"))
    return bots, first.version


async def test_a_version_is_renewed_once_in_a_while(redis: ArqRedis) -> None:
    bots, version = await replaced(redis)
    versions = Versions(bots)
    await redis.expire(keys.bot_version(version), 10)
    await versions.keep(version, BOT_ID)
    assert await redis.ttl(keys.bot_version(version)) > 10
    await redis.expire(keys.bot_version(version), 10)
    await versions.keep(version, BOT_ID)
    assert await redis.ttl(keys.bot_version(version)) <= 10, "not with every turn"


async def test_where_conversations_are_short_a_version_is_renewed_before_it_expires(redis: ArqRedis) -> None:
    bots, version = await replaced(redis)
    versions = Versions(bots, conversation_ttl=0)
    for _ in range(2):
        await redis.expire(keys.bot_version(version), 10)
        await versions.keep(version, BOT_ID)
        assert await redis.ttl(keys.bot_version(version)) > 10


async def test_a_version_is_compiled_once_however_many_conversations_ask(
    redis: ArqRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    bots, version = await replaced(redis)
    compiled: list[bytes] = []

    def read(blob: bytes) -> Facts:
        compiled.append(blob)
        return Facts()

    monkeypatch.setattr("services.dialog_worker.versions.read_facts", read)
    versions = Versions(bots)
    first = await asyncio.gather(*(versions.facts(version) for _ in range(10)))
    assert await versions.facts(version) is first[0]
    assert len(compiled) == 1


async def test_a_version_that_was_gone_is_asked_for_again(redis: ArqRedis) -> None:
    versions = Versions(Bots(redis, 1000))
    source = small_bot("one")
    with pytest.raises(VersionGone):
        await versions.facts(source.version)
    await Bots(redis, 1000).publish(source)
    assert (await versions.facts(source.version)).budgets == {}
