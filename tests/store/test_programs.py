"""Programs say that they run, and are forgotten when they no longer do."""

import msgspec

from shared.queue.programs import LIFE_MS, Programs, Running
from shared.store import keys
from tests.store.conftest import Raw, assert_all_expire

GATEWAY = Running(program="gateway", host="here", pid=7, since=1, version="0.1.0")
WORKER = Running(program="dialog-worker", host="here", pid=8, since=1, version="0.1.0", work={"conversations": 3})


async def test_who_says_so_runs(redis: Raw) -> None:
    programs = Programs(redis)
    assert await programs.listed() == []
    await programs.beat(GATEWAY)
    await programs.beat(WORKER)
    await programs.beat(msgspec.structs.replace(GATEWAY, work={"listening": 2}))
    assert await programs.listed() == [WORKER, msgspec.structs.replace(GATEWAY, work={"listening": 2})]
    await assert_all_expire(redis)
    assert await redis.pttl(keys.program(WORKER.id)) <= LIFE_MS


async def test_who_leaves_is_gone_at_once(redis: Raw) -> None:
    programs = Programs(redis)
    await programs.beat(GATEWAY)
    await programs.leave(GATEWAY)
    assert await programs.listed() == []


async def test_who_died_is_forgotten_by_the_next_one_that_says_something(redis: Raw) -> None:
    programs = Programs(redis)
    await programs.beat(GATEWAY)
    await redis.zadd(keys.programs(), {GATEWAY.id: 0})
    await redis.delete(keys.program(GATEWAY.id))  # its life is over
    assert await programs.listed() == []
    await programs.beat(WORKER)
    assert await redis.zcard(keys.programs()) == 1
