"""Turn processes that end are counted by why they did, and told of unless it was their time."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from services.dialog_worker.turn_processes import Walls
from tests.services.turn_process.conftest import NATIVE_HANG, bot_of

Start = Callable[..., Awaitable[Any]]


def count(why: str) -> float:
    return REGISTRY.get_sample_value("botlane_turn_processes_replaced_total", {"why": why}) or 0.0


async def hangs(start: Start) -> None:
    await (await start(walls=Walls(script=0.2))).ask(bot_of(NATIVE_HANG))


async def is_killed(start: Start) -> None:
    pool = await start()
    os.kill(pool.pids[0], signal.SIGKILL)


async def is_abandoned(start: Start) -> None:
    pool = await start(walls=Walls(script=30))
    task = asyncio.create_task(pool.ask(bot_of(NATIVE_HANG)))
    while not pool.busy:
        await asyncio.sleep(0.01)
    task.cancel()


async def is_old(start: Start) -> None:
    await (await start(walls=Walls(recycle=1))).ask(bot_of(""))


@pytest.mark.parametrize(
    ("happens", "why"),
    [(hangs, "script-time"), (is_killed, "ended"), (is_abandoned, "abandoned"), (is_old, "recycled")],
    ids=lambda given: given if isinstance(given, str) else "",
)
async def test_a_turn_process_that_ends_is_counted_by_why(
    start: Start, happens: Callable[[Start], Awaitable[None]], why: str
) -> None:
    before = count(why)
    with capture_logs() as lines:
        await happens(start)
        while count(why) == before:
            await asyncio.sleep(0.01)
    assert count(why) == before + 1
    told = [line["why"] for line in lines if line["event"] == "a turn process is replaced"]
    assert told == ([] if why == "recycled" else [why])


async def test_an_answer_says_what_its_scripts_took(start: Start) -> None:
    pool = await start()
    busy = await pool.ask(bot_of("for (var i = 0; i < 3e5; i++) {}"))
    assert 0 < busy.script_us <= busy.us
    assert (await pool.ask(bot_of(""))).script_us == 0
