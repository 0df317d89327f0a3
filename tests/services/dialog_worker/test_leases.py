"""Who may write: leases that are renewed, lost, and given back."""

import asyncio

import pytest
from arq import Retry

from services.dialog_worker.advance import advance
from services.dialog_worker.leases import LeaseLost, Leases
from services.dialog_worker.worker import build_parts
from services.settings import Settings
from shared.dialog.frames import Advance, Answer
from shared.store import keys
from shared.store.connection import RedisUnreachable, connect
from tests.services.dialog_worker.conftest import Talks
from tests.services.dialog_worker.conversations import Engine, Talk, repeats


def held_up() -> tuple[asyncio.Event, asyncio.Event, Engine]:
    started, let_go = asyncio.Event(), asyncio.Event()

    async def engine(request: Advance) -> Answer:
        started.set()
        await let_go.wait()
        return repeats(request)

    return started, let_go, engine


async def start_work(talk: Talk, started: asyncio.Event) -> asyncio.Task[None]:
    working = asyncio.create_task(talk.work())
    await asyncio.wait_for(started.wait(), 60)
    return working


async def test_the_lease_is_renewed_while_a_turn_runs(talk_with: Talks) -> None:
    started, let_go, engine = held_up()
    talk = await talk_with(engine)
    await talk.say("hi")
    working = await start_work(talk, started)
    first = int(await talk.field("lease"))
    while int(await talk.field("lease")) == first:
        await asyncio.sleep(0.005)
    let_go.set()
    await working
    assert await talk.replies() == ["1: hi"]


async def test_a_turn_whose_conversation_was_taken_over_is_stopped_and_stores_nothing(talk_with: Talks) -> None:
    started, _, engine = held_up()
    talk = await talk_with(engine)
    await talk.say("hi")
    working = await start_work(talk, started)
    await talk.set(keys.conv(talk.id), "fence", "of another worker")
    await working
    assert await talk.replies() == []
    assert await talk.field("fence") == "of another worker"


async def test_a_turn_that_was_overtaken_unnoticed_is_refused_by_its_commit(talk_with: Talks) -> None:
    talk: Talk

    async def engine(request: Advance) -> Answer:
        await talk.set(keys.conv(talk.id), "fence", "of another worker")
        return repeats(request)

    talk = await talk_with(engine)
    await talk.say("hi")
    await talk.work()
    assert await talk.replies() == []
    assert await talk.session() == {}


async def test_a_worker_that_stops_hands_the_conversation_back_with_one_try_less(talk_with: Talks) -> None:
    started, let_go, engine = held_up()
    talk = await talk_with(engine)
    await talk.say("hi")
    working = await start_work(talk, started)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert await talk.field("state") == "queued"
    assert await talk.field("tries") == "0"
    let_go.set()
    await talk.work()
    assert await talk.replies() == ["1: hi"]


async def test_a_busy_conversation_is_left_alone(talk_with: Talks) -> None:
    started, let_go, engine = held_up()
    talk = await talk_with(engine)
    await talk.say("hi")
    working = await start_work(talk, started)
    await talk.work("another job")
    let_go.set()
    await working
    assert await talk.replies() == ["1: hi"]


async def test_a_job_is_tried_again_while_redis_is_away() -> None:
    redis = connect("unix:///tmp/nobody-listens-here", retries=0)
    parts = build_parts(Settings(), redis)
    with pytest.raises(Retry):
        await advance({"parts": parts, "job_id": "job"}, keys.new_conversation_id(0))
    await redis.aclose()


class Refuses:
    """A mailbox that is away, then refuses."""

    def __init__(self) -> None:
        self.asked = 0

    async def renew(self, conversation_id: str, fence: str) -> bool:
        self.asked += 1
        if self.asked < 3:
            raise RedisUnreachable
        return False


async def test_a_lease_is_lost_by_a_refusal_never_by_silence_nor_while_its_fence_changes() -> None:
    mailbox = Refuses()
    leases = Leases(mailbox, renew_seconds=0.001)
    renewing = asyncio.create_task(leases.keep())
    lease = leases.hold("0-a", "fence")

    async def hold() -> None:
        async with lease:
            with lease.handing_over("next"):
                await asyncio.sleep(0.02)
            assert mailbox.asked == 0
            await asyncio.sleep(20)

    with pytest.raises(LeaseLost):
        await hold()
    assert mailbox.asked == 3
    renewing.cancel()
    await asyncio.gather(renewing, return_exceptions=True)
