"""The server dies under load: what was acknowledged, what is lost, how long nothing is accepted, who comes back."""

import asyncio
import os
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from arq.connections import ArqRedis

from shared.bot.source import BotSource
from shared.store.bots import Bots
from shared.store.connection import connect
from tests.journeys.counting_bot import ASK_GET, counting_bot
from tests.journeys.programs import Programs
from tests.journeys.system import LoopbackApi
from tests.proofs.form import LONG, Record, record_figures
from tests.proofs.stolen import Stolen, watching
from tests.proofs.talkers import Talker, all_faults, echoes, replies_to, talkers, together, total
from tests.store.failover import Failover, until
from tests.store.own_server import OwnServer, answers

pytestmark = [pytest.mark.proof, pytest.mark.timeout(300)]

TALKERS = 6
PROGRAMS = ("gateway", "dialog_worker", "integration_worker")
MANIFEST = '[egress]\nprivate = ["127.0.0.0/8"]\n'
AFTER_EVERYSEC, AFTER_FAILOVER = 2.0, 10.0
ROOM = 2.0
AWAY = 3.0  # longer than a gateway tries before it answers 503
BEFORE_NEXT_SYNC = 0.9
CUT_OFF = 0.5  # how long the replica hears nothing before the primary dies
ROUNDS = 5 if LONG else 1
HOW = ["killed", "frozen"] if LONG else ["killed"]


@pytest.fixture(scope="module")
def api() -> Iterator[LoopbackApi]:
    with LoopbackApi() as server:
        server.answers["/question"] = echoes
        yield server


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bl-", dir="/tmp") as path:  # the path of a socket may have 107 bytes
        yield Path(path)


@pytest.fixture
def stolen(valkey_server: str) -> Iterator[Stolen]:
    """What other programs of this machine take of the time that is promised here."""
    with watching(valkey_server) as watched:
        yield watched


@asynccontextmanager
async def running(url: str, api: LoopbackApi, logs: Path, **settings: str) -> AsyncIterator[tuple[Programs, ArqRedis]]:
    redis = connect(url)
    while not await answers(redis):
        await asyncio.sleep(0.01)
    await Bots(redis, 3600).publish(BotSource(counting_bot(api.url), MANIFEST))
    with Programs(url, logs, **settings) as programs:
        programs.start(*PROGRAMS)
        await programs.ready(*PROGRAMS)
        yield programs, redis
    await redis.aclose()


def seconds_from_now(seconds: float) -> Callable[[int], bool]:
    until = time.monotonic() + seconds
    return lambda _: time.monotonic() < until


@pytest.mark.parametrize("_round", range(ROUNDS))
async def test_with_a_log_that_is_always_on_disk_a_killed_server_costs_time_and_nothing_else(
    folder: Path, api: LoopbackApi, tmp_path: Path, record_property: Record, _round: int
) -> None:
    server = OwnServer(folder, appendfsync="always")
    async with (
        running(server.url, api, tmp_path) as (programs, redis),
        talkers(TALKERS, [programs.url], waits=False, asks=True, pause=0.1) as talking,
    ):
        goes_on = seconds_from_now(5)
        talks = asyncio.gather(*(talker.talk(goes_on) for talker in talking))
        await asyncio.sleep(1.5)
        server.kill()
        await asyncio.sleep(AWAY)
        server.start()
        began = time.monotonic()
        while not await answers(redis):
            await asyncio.sleep(0.01)
        back = time.monotonic() - began
        await talks
        await together(talking, lambda talker: talker.has_replies(len(talker.accepted)))
        answered = time.monotonic() - began
        assert not await all_faults(talking)
        assert total(talking, 503)
        assert not sum(talker.broken for talker in talking)
        counts = Counter({"accepted": total(talking, 202), "answered 503": total(talking, 503), "lost": 0})
        slowest = {"server up after": back, "everything answered after": answered}
        record_figures(record_property, "appendfsync always, SIGKILL", counts, slowest)
    server.stop()


@pytest.mark.parametrize("_round", range(ROUNDS))
async def test_with_a_log_synced_every_second_a_power_cut_loses_the_last_two_seconds_at_most(
    folder: Path, api: LoopbackApi, tmp_path: Path, stolen: Stolen, record_property: Record, _round: int
) -> None:
    """A killed process loses nothing that it wrote: the system still has it. So the log is cut to what was synced."""
    server = OwnServer(folder, appendfsync="everysec")
    async with (
        running(server.url, api, tmp_path) as (programs, redis),
        talkers(TALKERS, [programs.url], waits=False, pause=0.1) as talking,
    ):
        goes_on = seconds_from_now(6)
        talks = asyncio.gather(*(talker.talk(goes_on) for talker in talking))
        synced = await last_synced(redis, server.log, 2.0)
        server.kill()
        died = time.monotonic()
        written = server.log.stat().st_size
        os.truncate(server.log, synced)
        server.start()
        await talks
        lost = [(talker, word) for talker in talking for word in await talker.lost()]
        ages = [died - talker.accepted_at[word] for talker, word in lost]
        assert max(ages, default=0.0) < AFTER_EVERYSEC + ROOM + stolen.seconds
        counts = Counter({"accepted": total(talking, 202), "lost": len(lost), "bytes cut off": written - synced})
        slowest = {"loss was accepted before the cut": max(ages, default=0.0)}
        record_figures(record_property, "appendfsync everysec, power cut", counts, slowest)
    server.stop()


async def last_synced(redis: ArqRedis, log: Path, seconds: float) -> int:
    """Return how much of the log is known to be on disk after so many seconds, at the worst moment: before the next sync."""
    synced, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        size = log.stat().st_size
        await redis.set("probe", 1, ex=60)
        local, _ = await redis.waitaof(1, 0, 4000)
        synced = size if local else synced
    await asyncio.sleep(BEFORE_NEXT_SYNC)
    return synced


@pytest.mark.parametrize("_round", range(ROUNDS))
@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("durability", ["local", "replicated"])
async def test_everybody_follows_a_failover_and_with_replicas_waited_for_nothing_is_lost(
    folder: Path,
    api: LoopbackApi,
    tmp_path: Path,
    stolen: Stolen,
    record_property: Record,
    durability: str,
    how: str,
    _round: int,
) -> None:
    with Failover(folder, replicas=2) as servers:
        async with (
            running(servers.url, api, tmp_path, BOTLANE_DURABILITY=durability) as (programs, _),
            talkers(TALKERS, [programs.url], waits=False, asks=True, pause=0.1) as talking,
        ):
            stop = asyncio.Event()
            talks = asyncio.gather(*(talker.talk(lambda _: not stop.is_set()) for talker in talking))
            await asyncio.sleep(1.5)
            cut_off = servers.replicas if durability == "local" else servers.replicas[:1]
            servers.cut_off(*cut_off)
            await asyncio.sleep(CUT_OFF)
            if how == "killed":
                servers.first.kill()
            else:
                servers.first.freeze()
            servers.join_again(*cut_off)
            died, before = time.monotonic(), stolen.seconds
            accepts = await asyncio.wait_for(first_accepted(talking, died), 6 * AFTER_FAILOVER)
            async with Talker([programs.url]) as late:
                await late.say(f"{ASK_GET} anew")
                assert late.replies == replies_to(late.said)
            followed, taken = time.monotonic() - died, stolen.seconds - before
            if how == "killed":
                servers.first.start()
            else:
                servers.first.thaw()
            await asyncio.sleep(2)
            stop.set()
            await talks
            assert followed < AFTER_FAILOVER + taken
            assert total(talking, 503) or how == "frozen"  # there a request waits, and is answered by the new primary
            assert not sum(talker.broken for talker in talking)
            lost = [word for talker in talking for word in await talker.lost()]
            if durability == "replicated":
                assert not lost
                await together(talking, lambda talker: talker.has_replies(len(talker.accepted)))
                assert not await all_faults(talking)
            else:
                assert lost, "the replicas were not cut off: nothing was shown"
                await assert_leaves_alone(servers, how)
            counts = Counter(
                {"accepted": total(talking, 202), "answered 503": total(talking, 503), "accepted and lost": len(lost)}
            )
            slowest = {"first acceptance after": accepts, "turn and call after": followed}
            record_figures(
                record_property,
                f"failover, primary {how}, {durability}, {len(cut_off)} of 2 replicas cut off for 500 ms",
                counts,
                slowest,
            )


async def assert_leaves_alone(servers: Failover, how: str) -> None:
    """Nobody sent anything to the old primary since it came back, which has become a replica."""
    await asyncio.to_thread(until, lambda: servers.first.role() == "slave")
    if how == "killed":  # a frozen one was sent something before
        with servers.first.client() as demoted:
            assert "cmdstat_evalsha" not in demoted.info("commandstats"), "somebody writes to the old primary"


async def first_accepted(talking: list[Talker], after: float) -> float:
    """Return the seconds after which something was accepted again."""
    while True:
        accepted = [at for talker in talking for at in talker.accepted_at.values() if at > after + 0.2]
        if accepted:
            return min(accepted) - after
        await asyncio.sleep(0.02)
