"""The direct worker on a real server: jobs that their first script takes off the queue."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from arq.connections import ArqRedis
from arq.worker import func

from shared.queue import claims as claims_of
from shared.queue import jobs
from shared.queue.claims import Claims
from shared.queue.direct import DirectWorker
from shared.queue.mailbox import Mailbox
from shared.queue.records import Batch
from shared.store import keys
from shared.store.connection import connect
from tests.store.conftest import Say, Starts
from tests.store.doorbell_parts import QUEUE, drained, enqueue, push, tokens, until


class Hands:
    """Takes each conversation that is rung for and commits nothing, as a worker does that is then killed."""

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox
        self.taken: list[str] = []
        self.asked: list[str] = []

    async def __call__(self, ctx: dict[Any, Any], conversation_id: str) -> None:
        self.asked.append(conversation_id)
        begun = await self.mailbox.begin(conversation_id, ctx["job_id"], secrets.token_hex(8), take=True)
        if isinstance(begun, Batch):
            self.taken.append(conversation_id)


@asynccontextmanager
async def working(url: str, direct: Any, **settings: Any) -> AsyncIterator[DirectWorker]:
    settings = {"queues": [QUEUE], "handle_signals": False, "idle_poll_seconds": 60, **settings}
    claimed = settings.pop("claimed", _never)
    worker = DirectWorker([func(claimed, name=jobs.ADVANCE)], direct=direct, redis_pool=connect(url), **settings)
    serving = asyncio.create_task(worker.serve())
    try:
        yield worker
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def _never(ctx: dict[str, Any], argument: str) -> None:
    raise AssertionError("no job of a conversation is claimed")


async def test_a_rung_conversation_is_taken_off_the_queue_with_its_payload(
    valkey_server: str, redis: ArqRedis, mailbox: Mailbox, conversation: Starts, say: Say
) -> None:
    hands = Hands(mailbox)
    talk = await conversation()
    async with working(valkey_server, hands):
        await say(talk)
        await until(lambda: hands.taken)
    assert hands.taken == [talk]
    assert await drained(redis)
    assert await tokens(redis) == 0
    assert await redis.keys("arq:*") == []


async def test_several_tokens_are_popped_together_and_each_conversation_is_taken_once(
    valkey_server: str, mailbox: Mailbox, conversation: Starts, say: Say
) -> None:
    hands = Hands(mailbox)
    talks = [await conversation() for _ in range(40)]
    for talk in talks:
        await say(talk)
    async with working(valkey_server, hands), working(valkey_server, hands):
        await until(lambda: len(hands.taken) == 40)
    assert sorted(hands.taken) == sorted(talks)


async def test_a_server_without_blmpop_is_asked_for_one_token_at_a_time(
    valkey_server: str, mailbox: Mailbox, conversation: Starts, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    hands = Hands(mailbox)
    talks = [await conversation() for _ in range(3)]
    async with working(valkey_server, hands) as worker:

        async def unknown(*_: object, **__: object) -> None:
            from redis.exceptions import ResponseError

            raise ResponseError("unknown command 'BLMPOP'")

        monkeypatch.setattr(worker.pool, "blmpop", unknown)
        await until(lambda: worker.main_task is not None)
        for talk in talks:
            await say(talk)
        await until(lambda: len(hands.taken) == 3)


async def test_a_conversation_whose_token_was_lost_is_found_by_looking(
    valkey_server: str, redis: ArqRedis, mailbox: Mailbox, conversation: Starts, say: Say
) -> None:
    hands = Hands(mailbox)
    talks = [await conversation() for _ in range(40)]
    for talk in talks:
        await say(talk)
    await redis.delete(keys.bell(QUEUE))
    async with working(valkey_server, hands, idle_poll_seconds=0.05):
        await until(lambda: len(hands.taken) == 40)
    assert sorted(hands.taken) == sorted(talks)


async def test_what_one_worker_looks_at_another_does_not_meet_for_a_second(
    redis: ArqRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual, a_second = claims_of._script, "ASIDE = 1000"
    assert a_second in usual("due_jobs")  # it is a minute here: a busy machine may take a second
    monkeypatch.setattr(claims_of, "_script", lambda name: usual(name).replace(a_second, "ASIDE = 60000"))
    ids = {await enqueue(redis, f"{number}:1", ring=False) for number in range(4)}
    claims = Claims(redis)
    first, second = await claims.due(QUEUE, 2), await claims.due(QUEUE, 10)
    assert len(first) == len(second) == 2
    assert {*first, *second} == ids
    assert await claims.due(QUEUE, 10) == []


async def test_at_most_max_jobs_run_together(
    valkey_server: str, mailbox: Mailbox, conversation: Starts, say: Say
) -> None:
    running, most = 0, 0
    done: set[str] = set()

    async def slow(ctx: dict[Any, Any], conversation_id: str) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await mailbox.begin(conversation_id, ctx["job_id"], secrets.token_hex(8), take=True)
        await asyncio.sleep(0.002)
        running -= 1
        done.add(conversation_id)

    for _ in range(30):
        await say(await conversation())
    async with working(valkey_server, slow, max_jobs=4):
        await until(lambda: len(done) == 30)
    assert 1 < most <= 4


async def test_a_job_of_somebody_elses_making_is_claimed_and_run_as_arq_does(
    valkey_server: str, redis: ArqRedis
) -> None:
    seen: list[str] = []

    async def claimed(ctx: dict[str, Any], argument: str) -> None:
        seen.append(argument)

    async with working(valkey_server, _never, claimed=claimed, idle_poll_seconds=0.05):
        await redis.set("arq:job:stranger", jobs.advance_payload("a"), px=60_000)
        await redis.zadd(QUEUE, {"stranger": 1})
        await push(redis, keys.bell(QUEUE), "stranger")
        await until(lambda: seen)
        await until(lambda: drained(redis))
    assert seen == ["a"]


async def test_a_job_that_fails_costs_neither_the_worker_nor_its_room(
    valkey_server: str, mailbox: Mailbox, conversation: Starts, say: Say
) -> None:
    hands = Hands(mailbox)
    failed: list[str] = []

    async def fails_first(ctx: dict[Any, Any], conversation_id: str) -> None:
        await hands(ctx, conversation_id)
        if not failed:
            failed.append(conversation_id)
            raise RuntimeError("at first")

    async with working(valkey_server, fails_first, max_jobs=1) as worker:
        for _ in range(2):
            await say(await conversation())
        await until(lambda: len(hands.taken) == 2)
        await until(lambda: worker.job_counter == 0)
    assert failed
