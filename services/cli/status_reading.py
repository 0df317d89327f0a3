"""What `botlane status` knows: the server, programs, bots, and the figures of each shard. Reads only, scans nothing."""

import contextlib
import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec
from arq.connections import ArqRedis
from redis.exceptions import ResponseError

from services.settings import Settings
from shared.queue.figures import Figures, ShardFigures
from shared.queue.programs import Programs, Running
from shared.store.bots import Bots
from shared.store.connection import address, translated

UNKNOWN = "unknown"


class Server(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The Redis or Valkey server. What it does not tell (managed servers hide CONFIG) is `unknown` or 0."""

    address: str
    name: str
    version: str
    uptime_seconds: int
    memory_bytes: int
    memory_limit_bytes: int
    eviction: str
    clients: int
    appendonly: bool
    appendfsync: str
    role: str
    replicas: int


class Bot(msgspec.Struct, frozen=True):
    """A published bot."""

    id: str
    name: str
    version: str


class Shard(ShardFigures, frozen=True, kw_only=True, rename="camel"):
    """The figures of one shard, with its number."""

    shard: int


class Status(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Everything on the screen. `at` is the local clock; `notes` say what should be looked at."""

    at: dt.datetime
    server: Server
    bots: list[Bot]
    programs: list[Running]
    shards: list[Shard]
    notes: list[str]


async def read_status(redis: ArqRedis, settings: Settings) -> Status:
    """Return what there is now. Raises RedisUnreachable."""
    server = await _server(redis)
    programs = await Programs(redis).listed()
    count = max([settings.shards, *(running.shards for running in programs)])
    figures = Figures(redis)
    shards = [_shard(number, await figures.of(number)) for number in range(count)]
    bots = [Bot(bot.id, bot.name, bot.version) for bot in await Bots(redis, settings.conversation_ttl).published()]
    at = dt.datetime.now(dt.UTC)
    notes = list(_notes(server, programs, shards, bots))
    return Status(at=at, server=server, bots=bots, programs=programs, shards=shards, notes=notes)


def _shard(number: int, figures: ShardFigures) -> Shard:
    return Shard(shard=number, **msgspec.structs.asdict(figures))


async def _server(redis: ArqRedis) -> Server:
    with translated():
        said: Mapping[str, Any] = await redis.info()
        appendfsync = UNKNOWN
        with contextlib.suppress(ResponseError):  # CONFIG may be forbidden
            appendfsync = (await redis.config_get("appendfsync")).get("appendfsync", UNKNOWN)
    valkey = said.get("server_name") == "valkey"
    return Server(
        address=address(redis),
        name="Valkey" if valkey else "Redis",
        version=str(said.get("valkey_version" if valkey else "redis_version", UNKNOWN)),
        uptime_seconds=int(said.get("uptime_in_seconds", 0)),
        memory_bytes=int(said.get("used_memory", 0)),
        memory_limit_bytes=int(said.get("maxmemory", 0)),
        eviction=str(said.get("maxmemory_policy", UNKNOWN)),
        clients=int(said.get("connected_clients", 0)),
        appendonly=bool(said.get("aof_enabled", 0)),
        appendfsync=appendfsync,
        role={"master": "primary", "slave": "replica"}.get(str(said.get("role")), UNKNOWN),
        replicas=int(said.get("connected_slaves", 0)),
    )


OLD_MS = 5000
"""Who waits for longer needs somebody to look: even a lost worker's conversations go on within five seconds."""


def _notes(server: Server, programs: list[Running], shards: list[Shard], bots: list[Bot]) -> "list[str]":
    """Say what a person should look at, the most urgent first."""
    found = [
        f"Shard {shard.shard}: a {what} has waited for {ms / 1000:.0f} s: are there enough workers?"
        for shard in shards
        for what, ms in (("conversation", shard.oldest_ms), ("call", shard.oldest_call_ms))
        if ms > OLD_MS
    ]
    running = {running.program for running in programs}
    found += [f"No {name} runs." for name in ("gateway", "dialog-worker", "integration-worker") if name not in running]
    most = max((running.shards for running in programs), default=0)
    found += [
        f"{running.program} {running.host}:{running.pid} knows {running.shards} of {most} shards: set BOTLANE_SHARDS."
        for running in programs
        if running.shards < most
    ]
    if dead := sum(shard.dead for shard in shards):
        found.append(f"{dead} dead letter{'s' * (dead > 1)}: see `botlane dead list`.")
    if not server.appendonly:
        found.append("The server keeps no append-only file: a restart loses every conversation.")
    if server.memory_limit_bytes and server.eviction not in {"noeviction", UNKNOWN}:
        found.append(f"The server may evict conversations ({server.eviction}): set maxmemory-policy noeviction.")
    if not bots:
        found.append("No bot is published: use `botlane deploy`.")
    return found
