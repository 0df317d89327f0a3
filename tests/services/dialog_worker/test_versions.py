"""Bot versions as the worker keeps them: renewed while turns run on them, and not with every turn."""

from arq.connections import ArqRedis

from services.dialog_worker.versions import Versions
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
