"""Servers behind sentinels: who is asked, who is believed, and what a replica has before it is acknowledged."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis as blocking
from arq.connections import ArqRedis, create_pool
from redis.exceptions import ConnectionError as RedisConnectionError

from shared.queue.mailbox import Mailbox
from shared.queue.records import NewConversation
from shared.store import keys
from shared.store.connection import RedisUnreachable, address, connect, reach, stock_settings, translated
from shared.store.replicas import NotReplicated, Replicas
from shared.store.sentinel import PrimaryPool, Watched, read_address
from tests.store.failover import SERVICE, Failover, until

WEEK = 7 * 24 * 3600
PATIENT_MS = 60_000  # a busy machine may keep a replica from answering for a while


@pytest.fixture(scope="module")
def servers() -> Iterator[Failover]:
    """Servers that stay what they are: nobody here is missed before the tests are over."""
    with (
        tempfile.TemporaryDirectory(prefix="bl-", dir="/tmp") as folder,
        Failover(Path(folder), down_after_ms=600_000) as started,
    ):
        yield started


@pytest.fixture
async def watched(servers: Failover) -> AsyncIterator[ArqRedis]:
    client = connect(servers.url)
    yield client
    await client.aclose()


def test_an_address_names_sentinels_service_database_and_who_is_asking() -> None:
    url = "redis+sentinel://me:p%40ss@a:1,b,[::1]:3/bots/5?sentinel_password=other"
    read = read_address(url)
    assert read == Watched((("a", 1), ("b", 26379), ("::1", 3)), "bots", 5, "me", "p@ss", None, "other")
    assert address(connect(url)) == "redis+sentinel://a:1,b:26379,::1:3/bots/5"


async def test_commands_go_to_the_primary_that_the_sentinels_name(servers: Failover, watched: ArqRedis) -> None:
    await watched.set("where", "here")
    with servers.first.client() as first:
        assert first.get("where") == b"here"


async def test_a_service_that_no_sentinel_knows_is_redis_being_away(servers: Failover) -> None:
    client = connect(servers.url.replace(f"/{SERVICE}/", "/unknown/"), retries=0)
    with pytest.raises(RedisUnreachable, match="/unknown/0"):
        await reach(client)
    await client.aclose()


async def test_a_replica_is_refused_although_a_sentinel_takes_it_for_the_primary(
    servers: Failover, watched: ArqRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def mistaken(_: PrimaryPool) -> tuple[str, int]:
        return "127.0.0.1", servers.replicas[0].port

    monkeypatch.setattr(PrimaryPool, "primary", mistaken)
    with pytest.raises(RedisConnectionError, match="not the primary"):
        await watched.get("where")


async def test_who_asks_at_the_same_time_asks_the_sentinels_once(servers: Failover, watched: ArqRedis) -> None:
    pool = watched.connection_pool
    assert isinstance(pool, PrimaryPool)
    before = asked_sentinels(servers)
    asked = await asyncio.gather(*(pool.primary() for _ in range(100)))
    assert set(asked) == {("127.0.0.1", servers.first.port)}
    assert asked_sentinels(servers) - before < 10


def asked_sentinels(servers: Failover) -> int:
    count = 0
    for sentinel in servers.sentinels:
        with blocking.Redis(port=sentinel.port) as client:
            calls = client.info("commandstats")
        count += sum(found["calls"] for name, found in calls.items() if "masters" in name)
    return count


async def test_arqs_own_worker_finds_the_primary_as_well(servers: Failover) -> None:
    pool = await create_pool(stock_settings(servers.url))
    assert await pool.ping()
    await pool.aclose()
    manager: Any = pool.connection_pool
    await asyncio.gather(*(sentinel.aclose() for sentinel in manager.sentinel_manager.sentinels))


async def test_a_primary_that_refuses_writes_for_lack_of_replicas_is_redis_being_away(
    servers: Failover, watched: ArqRedis
) -> None:
    await watched.config_set("min-replicas-to-write", 2)
    try:
        script = watched.register_script("return redis.call('SET', KEYS[1], 1)")
        with pytest.raises(RedisUnreachable), translated():
            await script(keys=["a"])
        pipe = watched.pipeline(transaction=False)
        pipe.set("a", 1)
        with pytest.raises(RedisUnreachable), translated():
            await pipe.execute()
    finally:
        await watched.config_set("min-replicas-to-write", 0)


@pytest.fixture
async def frozen(servers: Failover, watched: ArqRedis) -> AsyncIterator[None]:
    """The replica acknowledges nothing."""
    await watched.ping()
    servers.replicas[0].freeze()
    yield
    servers.replicas[0].thaw()
    await asyncio.to_thread(until, servers.in_step)


@contextmanager
def frozen_replica(servers: Failover, replicas: Replicas) -> Iterator[None]:
    """The replica acknowledges nothing, and nobody waits for it for long."""
    servers.replicas[0].freeze()
    replicas._wait_ms = 200
    yield
    replicas._wait_ms = PATIENT_MS
    servers.replicas[0].thaw()


async def test_a_write_that_no_replica_acknowledges_is_told_also_when_a_repeat_wrote_nothing(
    servers: Failover, watched: ArqRedis
) -> None:
    replicas = Replicas(watched, wait_ms=PATIENT_MS)
    await watched.set("written", 1)
    await replicas.confirm(0)
    with frozen_replica(servers, replicas), pytest.raises(NotReplicated):
        await replicas.confirm(0)
    await replicas.confirm(0)


def mailbox_on(redis: ArqRedis, *, replicated: bool) -> Mailbox:
    mailbox = Mailbox(redis, conversation_ttl=WEEK, inbox_limit=10, trace_ttl=60, replicated=replicated)
    if mailbox._replicas:
        mailbox._replicas._wait_ms = PATIENT_MS
    return mailbox


async def test_nothing_leaves_a_replicated_mailbox_before_a_replica_has_it(
    servers: Failover, watched: ArqRedis
) -> None:
    mailbox = mailbox_on(watched, replicated=True)
    new = NewConversation(keys.new_conversation_id(0), "bot", "user", "web")
    await mailbox.create(new)
    assert mailbox._replicas
    with frozen_replica(servers, mailbox._replicas):
        for _ in range(2):
            with pytest.raises(NotReplicated):
                await mailbox.ingest_message(new.id, "m1", b"event", b"{}")
            with pytest.raises(NotReplicated):
                await mailbox.read(new.id, 0)
    repeated = await mailbox.ingest_message(new.id, "m1", b"event", b"{}")
    assert (repeated.outcome, repeated.sequence) == ("duplicate", 1)
    page = await mailbox.read(new.id, 0)
    assert page is not None
    assert page.cursor == 1


async def test_a_local_mailbox_does_not_ask_for_replicas(servers: Failover, watched: ArqRedis, frozen: None) -> None:
    before = await waits(watched)
    mailbox = mailbox_on(watched, replicated=False)
    new = NewConversation(keys.new_conversation_id(0), "bot", "user", "web")
    await mailbox.create(new)
    assert (await mailbox.ingest_message(new.id, "m1", b"event", b"{}")).outcome == "accepted"
    assert await waits(watched) == before


async def waits(redis: ArqRedis) -> int:
    found = (await redis.info("commandstats")).get("cmdstat_wait", {})
    return int(found.get("calls", 0))
