"""Clocks that are wrong by minutes, and jump, change nothing: every time that matters is Redis' own."""

import asyncio
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from aiohttp import web
from arq.connections import ArqRedis

from shared.bot.source import BotSource
from shared.store import keys
from shared.store.bots import Bots
from tests.journeys.consumer import Consumer
from tests.journeys.counting_bot import ASK_GET, BOT_ID, NOT_FOUND, counting_bot
from tests.journeys.programs import Programs
from tests.journeys.system import LoopbackApi
from tests.proofs.form import Record, record_figures
from tests.proofs.stolen import Stolen, watching
from tests.proofs.talkers import Talker, all_faults, echoes, talkers, total

pytestmark = [pytest.mark.proof, pytest.mark.timeout(300)]

CLOCK = Path(__file__).with_name("jumping_clock")
JUMPS = {"gateway": 600, "gateway-2": -900, "dialog_worker": 420, "dialog_worker-2": -420, "integration_worker": 300}
SECONDS, LEASE, WORKER_LOST = 5.0, 3.0, 7.0
WEEK_MS, SESSION_MS, MINUTE_MS = 7 * 24 * 3600 * 1000, 3600 * 1000, 60 * 1000
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


def test_the_clock_of_the_programs_does_jump() -> None:
    ask = "import time; print([round(time.time() - time.monotonic()) for _ in range(15) if not time.sleep(0.1)])"
    environment = {**os.environ, "PYTHONPATH": str(CLOCK), "CLOCK_JUMPS": "600"}  # noqa: TID251 (a child's)
    said = subprocess.run([sys.executable, "-c", ask], env=environment, capture_output=True, check=True).stdout
    assert len({int(text) // 100 for text in said.decode().strip("[]\n").split(",")}) > 1


async def test_clocks_that_jump_by_minutes_change_nothing(
    valkey_server: str, redis: ArqRedis, api: LoopbackApi, tmp_path: Path, stolen: Stolen, record_property: Record
) -> None:
    api.answers["/question"] = echoes
    await Bots(redis, 3600).publish(BotSource(counting_bot(api.url, spin=400_000), MANIFEST))
    with Programs(valkey_server, tmp_path, BOTLANE_MAX_JOBS="4", PYTHONPATH=str(CLOCK)) as programs:
        for name, seconds in JUMPS.items():
            programs.start(name, CLOCK_JUMPS=str(seconds))
        await programs.ready(*JUMPS)
        urls = [programs.url_of("gateway"), programs.url_of("gateway-2")]
        began = time.time()
        async with talkers(6, urls, asks=True) as talking:
            for talker in talking:
                talker.urls.reverse()  # what one gateway signed, the other one reads
            until = time.monotonic() + SECONDS
            talks = asyncio.gather(*(talker.talk(lambda _: time.monotonic() < until) for talker in talking))
            await talks
            stalls = max(talker.longest for talker in talking)
            assert stalls < LEASE + stolen.seconds, "a job, a call or a hint waited for somebody's clock"
            programs.kill("dialog_worker")
            await asyncio.gather(*(talker.say("and on") for talker in talking))
            assert max(talker.longest for talker in talking) < WORKER_LOST + stolen.seconds
            assert not await all_faults(talking)
            await assert_times_are_right(redis, talking, began)
        await assert_a_call_ends_when_its_budget_does(programs, api, stolen)
        counts = Counter({"accepted": total(talking, 202)})
        record_figures(record_property, "clocks that jump by up to 15 minutes", counts, {"reply": stalls})


async def assert_times_are_right(redis: ArqRedis, talking: list[Talker], began: float) -> None:
    for talker in talking:
        for message in talker.heard:
            assert began - 1 < datetime.fromisoformat(message["at"]).timestamp() < time.time() + 1
        assert WEEK_MS - MINUTE_MS < await redis.pttl(keys.conv(talker.id)) <= WEEK_MS
        left = await redis.pttl(keys.session(talker.id))
        assert SESSION_MS < left <= SESSION_MS + MINUTE_MS


async def assert_a_call_ends_when_its_budget_does(programs: Programs, api: LoopbackApi, stolen: Stolen) -> None:
    async def hang(_: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.json_response({})

    api.answers["/question"] = hang
    async with Consumer(programs.url, BOT_ID) as consumer:
        asked, before = time.monotonic(), stolen.seconds
        await consumer.say(f"{ASK_GET} it")
        await consumer.hears(NOT_FOUND)
        seconds = time.monotonic() - asked
        assert 0.9 < seconds < 1.0 + LEASE + stolen.seconds - before
