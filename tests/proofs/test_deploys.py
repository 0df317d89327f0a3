"""Deploys lose nothing: every program is ended and started again under load, one after the other."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from arq.connections import ArqRedis

from shared.bot.source import BotSource
from shared.store.bots import Bots
from tests.journeys.counting_bot import counting_bot
from tests.journeys.programs import Programs
from tests.journeys.system import LoopbackApi
from tests.proofs.form import LONG, Record, record_figures
from tests.proofs.stolen import Stolen, watching
from tests.proofs.talkers import all_faults, echoes, talkers, total

pytestmark = [pytest.mark.proof, pytest.mark.timeout(300)]

TALKERS = 6
GATEWAYS = ("gateway", "gateway-2")
WORKERS = ("dialog_worker", "integration_worker", *(("dialog_worker-2", "integration_worker-2") if LONG else ()))
GRACE_SECONDS = 5
ROOM_SECONDS = 3.0
GOING_AWAY, SERVICE_RESTART = 1001, 1012
MANIFEST = '[egress]\nprivate = ["127.0.0.0/8"]\n'
ROUNDS = 5 if LONG else 1


@pytest.fixture
def api() -> Iterator[LoopbackApi]:
    with LoopbackApi() as server:
        server.answers["/question"] = echoes
        yield server


@pytest.fixture
def stolen(valkey_server: str) -> Iterator[Stolen]:
    """What other programs of this machine take of the time that is promised here."""
    with watching(valkey_server) as watched:
        yield watched


async def test_a_rolling_restart_of_every_program_is_not_noticed(
    valkey_server: str, redis: ArqRedis, api: LoopbackApi, tmp_path: Path, stolen: Stolen, record_property: Record
) -> None:
    await Bots(redis, 3600).publish(BotSource(counting_bot(api.url, spin=400_000), MANIFEST))
    with Programs(valkey_server, tmp_path, BOTLANE_COMPLETION_WAIT=str(GRACE_SECONDS)) as programs:
        programs.start(*GATEWAYS, *WORKERS)
        await programs.ready(*GATEWAYS, *WORKERS)
        urls = [programs.url_of(gateway) for gateway in GATEWAYS]
        async with talkers(TALKERS, urls, asks=True, pause=0.02) as talking:
            stop = asyncio.Event()
            talks = asyncio.gather(*(talker.talk(lambda _: not stop.is_set()) for talker in talking))
            ended: dict[str, float] = {}
            for _ in range(ROUNDS):
                for name in (*GATEWAYS, *WORKERS):
                    ended[name] = max(ended.get(name, 0.0), await programs.end(name))
                    programs.start(name)
                    await programs.ready(name)
            stop.set()
            await talks
            assert not await all_faults(talking)
            assert max(ended.values()) < GRACE_SECONDS + ROOM_SECONDS + stolen.seconds, ended
            closes = sum((talker.closes for talker in talking), Counter())
            assert set(closes) <= {GOING_AWAY, SERVICE_RESTART}, closes
            assert closes, "no stream was on a gateway that was restarted"
            counts = {
                "accepted": total(talking, 202),
                "answered 503": total(talking, 503),
                "streams resumed": sum(closes.values()),
                "requests sent again to the other gateway": sum(talker.broken for talker in talking),
            }
            slowest = {"end of a program": max(ended.values()), "reply": max(talker.longest for talker in talking)}
            record_figures(record_property, "rolling restart", Counter(counts), slowest)
