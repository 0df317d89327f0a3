"""Workers die, freeze and come back, and their queues are deleted: conversations go on in time and nothing shows."""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiohttp import web
from arq.connections import ArqRedis

from shared.bot.source import BotSource
from shared.queue.mailbox import Mailbox
from shared.store import keys
from shared.store.bots import Bots
from tests.journeys.consumer import Consumer
from tests.journeys.counting_bot import ASK_GET, BOT_ID, NOT_FOUND, counting_bot
from tests.journeys.programs import Programs
from tests.journeys.system import LoopbackApi
from tests.proofs.form import LONG, Record, record_figures
from tests.proofs.stolen import Stolen, watching
from tests.proofs.talkers import Talker, all_faults, talkers

pytestmark = [pytest.mark.proof, pytest.mark.timeout(300)]

SPIN = 1_500_000  # about 50 ms of script
TALKERS, MOST_JOBS = 10, 4
LEASE = 3.0
WORKER_LOST, QUEUE_LOST, ROOM = 5.0, 6.0, 2.0
ROUNDS = 8 if LONG else 1
MANIFEST = '[egress]\nprivate = ["127.0.0.0/8"]\n[integrations.Question]\ntotal_timeout = 1.0\n'


@pytest.fixture
def api() -> Iterator[LoopbackApi]:
    with LoopbackApi() as server:
        yield server


@pytest.fixture
def stolen(valkey_server: str) -> Iterator[Stolen]:
    """What other programs of this machine take of the time that is promised here."""
    with watching(valkey_server) as watched:
        yield watched


@pytest.fixture
async def programs(valkey_server: str, redis: ArqRedis, api: LoopbackApi, tmp_path: Path) -> AsyncIterator[Programs]:
    await Bots(redis, 3600).publish(BotSource(counting_bot(api.url, SPIN), MANIFEST))
    settings = {"BOTLANE_MAX_JOBS": str(MOST_JOBS), "BOTLANE_TURN_PROCESSES": "1"}
    with Programs(valkey_server, tmp_path, **settings) as started:
        names = ("gateway", "dialog_worker", "dialog_worker-2")
        started.start(*names)
        await started.ready(*names)
        yield started


@pytest.mark.parametrize("_round", range(ROUNDS))
async def test_a_worker_that_was_frozen_beyond_its_lease_cannot_write(
    programs: Programs, record_property: Record, _round: int
) -> None:
    async with talkers(TALKERS, [programs.url]) as talking:
        until = time.monotonic() + 3 * LEASE
        talks = asyncio.gather(*(talker.talk(lambda _: time.monotonic() < until) for talker in talking))
        await asyncio.sleep(1)
        programs.send("dialog_worker", signal.SIGSTOP)
        await asyncio.sleep(LEASE + 2)
        programs.send("dialog_worker", signal.SIGCONT)
        await talks
        refused = await programs.metric("dialog_worker", "botlane_leases_lost_total")
        assert refused, "it had no turn in flight"
        assert not await all_faults(talking)
        counts = {
            "turns": sum(len(talker.said) for talker in talking),
            "turns of a thawed worker refused": int(refused),
        }
        record_figures(record_property, "a frozen worker", Counter(counts), {"stall": longest(talking)})


@pytest.mark.parametrize("_round", range(ROUNDS))
async def test_the_conversations_of_a_dead_worker_go_on_in_time_and_the_others_do_not_wait(
    programs: Programs, stolen: Stolen, record_property: Record, _round: int
) -> None:
    async with talkers(TALKERS, [programs.url]) as talking:
        until = time.monotonic() + 8
        talks = asyncio.gather(*(talker.talk(lambda _: time.monotonic() < until) for talker in talking))
        await asyncio.sleep(2)
        programs.kill("dialog_worker")
        await talks
        assert not await all_faults(talking)
        waited = [talker for talker in talking if talker.longest > LEASE - 0.5]
        assert waited
        assert sum(talker.longest > LEASE - 0.5 + stolen.seconds for talker in waited) <= MOST_JOBS
        assert longest(talking) < WORKER_LOST + ROOM + stolen.seconds
        others = longest([talker for talker in talking if talker not in waited])
        slowest = {"stall of its conversations": longest(waited), "stall of others": others}
        counts = {"turns": sum(len(talker.said) for talker in talking), "conversations of the killed": len(waited)}
        record_figures(record_property, "a killed worker", Counter(counts), slowest)


@pytest.mark.parametrize("_round", range(ROUNDS))
async def test_conversations_whose_queue_was_deleted_go_on_in_time(
    programs: Programs, redis: ArqRedis, stolen: Stolen, record_property: Record, _round: int
) -> None:
    queue = keys.dialog_queue(0)
    async with talkers(TALKERS, [programs.url]) as talking:
        until = time.monotonic() + 8
        talks = asyncio.gather(*(talker.talk(lambda _: time.monotonic() < until) for talker in talking))
        await asyncio.sleep(2)
        while not await redis.zcount(queue, "-inf", int(time.time() * 1000)):
            await asyncio.sleep(0.001)
        await redis.delete(queue, keys.bell(queue))
        await talks
        assert not await all_faults(talking)
        assert longest(talking) < QUEUE_LOST + ROOM + stolen.seconds
        counts = {"turns": sum(len(talker.said) for talker in talking)}
        record_figures(record_property, "a deleted queue", Counter(counts), {"stall": longest(talking)})


async def test_a_call_whose_worker_and_queue_are_gone_ends_once_and_the_conversation_goes_on(
    programs: Programs, redis: ArqRedis, api: LoopbackApi, stolen: Stolen, record_property: Record
) -> None:
    arrived = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def hang(_: web.Request) -> web.Response:
        loop.call_soon_threadsafe(arrived.set)
        await asyncio.sleep(30)
        return web.json_response({})

    api.answers["/question"] = hang
    programs.start("integration_worker")
    await programs.ready("integration_worker")
    async with Consumer(programs.url, BOT_ID) as consumer:
        await consumer.say(f"{ASK_GET} it")
        await asyncio.wait_for(arrived.wait(), 60)
        call = await redis.hget(keys.conv(consumer.conversation_id), "call")  # type: ignore[misc]
        programs.kill("integration_worker")
        queue = keys.integration_queue(0)
        await redis.delete(queue, keys.bell(queue))
        began = time.monotonic()
        await consumer.say("meanwhile")
        await consumer.hears(NOT_FOUND)
        seconds = time.monotonic() - began
        await consumer.next()
        await consumer.hears("message 1: meanwhile")
        mailbox = Mailbox(redis, conversation_ttl=3600, inbox_limit=10, trace_ttl=60)
        assert not await mailbox.result(call.decode(), b"{}"), "the outcome came a second time"
        await consumer.say("and on")
        await consumer.hears("message 2: and on")
    assert seconds < 1.0 + QUEUE_LOST + ROOM + stolen.seconds
    record_figures(record_property, "a lost call of 1 s", Counter({"calls": 1}), {"outcome": seconds})


def longest(talking: list[Talker]) -> float:
    return max((talker.longest for talker in talking), default=0.0)
