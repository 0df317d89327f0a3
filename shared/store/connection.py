"""The one way to a Redis server, and the one exception that says it cannot be used now.

Redis' exceptions stop here: every adapter wraps its commands in `translated()`. Connections reconnect by themselves,
to another server if Sentinel has chosen one, and may send a command twice, which every script of the mailbox allows.
"""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from arq.connections import ArqRedis, RedisSettings
from redis import exceptions
from redis.asyncio import SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import FullJitterBackoff

from shared.queue import jobs
from shared.store.pool import Pool
from shared.store.refusals import refusal
from shared.store.sentinel import SCHEME, PrimaryPool, read_address

REACH_SECONDS = 2.0

# not reachable, or reachable and unable to take writes now (fail-over, memory): the caller can only try later
_AWAY = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.ReadOnlyError,
    exceptions.ClusterDownError,
    exceptions.OutOfMemoryError,
    exceptions.TryAgainError,
    OSError,
)
# the same, told in an error that redis-py has no class for: too few replicas, no disk, blocked while being demoted
_AWAY_WORDS = re.compile(r"(?:^|caused error: \(['\"])(?:NOREPLICAS|MISCONF|UNBLOCKED)\b")


class RedisUnreachable(Exception):  # noqa: N818 (a state of the world, not a mistake of the caller)
    """Redis does not answer, or takes no writes now. Start it, or mend BOTLANE_REDIS_URL."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.__doc__)


def connect(
    url: str,
    *,
    max_connections: int = 200,
    socket_timeout: float = 5.0,
    connect_timeout: float = 2.0,
    health_check_interval: int = 15,
    retries: int = 3,
) -> ArqRedis:
    """Return a client for `redis://`, `rediss://`, `unix://` or `redis+sentinel://` (store/sentinel.py) addresses.

    Nothing is sent before the first command. Times are seconds. Answers are bytes; jobs are msgpack. Lost connections
    are tried again `retries` times within about a second. Raises ValueError for an address that is none of these.
    """
    options: dict[str, Any] = {
        "max_connections": max_connections,
        "socket_timeout": socket_timeout,
        "socket_connect_timeout": connect_timeout,
        "health_check_interval": health_check_interval,
        "retry": Retry(FullJitterBackoff(cap=0.5, base=0.05), retries),
        "retry_on_error": [exceptions.ConnectionError, exceptions.TimeoutError, ConnectionError],
    }
    sentinel = url.startswith(SCHEME)
    pool = PrimaryPool(read_address(url), **options) if sentinel else Pool.from_url(url, **options)
    redis = ArqRedis(pool, job_serializer=jobs.serialize, job_deserializer=jobs.deserialize)
    redis.auto_close_connection_pool = True  # the pool is the client's own: closing one closes the other
    return redis


async def reach(redis: ArqRedis) -> None:
    """Return when the server has answered; raise RedisUnreachable when it has not within 2 s."""
    try:
        async with asyncio.timeout(REACH_SECONDS):
            await redis.ping()
    except (exceptions.RedisError, OSError, TimeoutError) as error:
        if said := refusal(error):
            message = f"Redis at {address(redis)} cannot be used now ({said}): mend that, or BOTLANE_REDIS_URL."
            raise RedisUnreachable(message) from error
        raise RedisUnreachable(
            f"No Redis answers at {address(redis)} ({_reason(error)}): start it, or mend BOTLANE_REDIS_URL."
        ) from error


def address(redis: ArqRedis) -> str:
    """Return where a client connects to, as an address without user and password."""
    if isinstance(redis.connection_pool, PrimaryPool):
        return redis.connection_pool.watched.shown
    where = redis.connection_pool.connection_kwargs
    database = where.get("db", 0)
    if "path" in where:
        return f"unix://{where['path']}?db={database}"
    scheme = "rediss" if issubclass(redis.connection_pool.connection_class, SSLConnection) else "redis"
    return f"{scheme}://{where.get('host', 'localhost')}:{where.get('port', 6379)}/{database}"


@contextmanager
def translated() -> Iterator[None]:
    """Turn Redis' connection trouble into RedisUnreachable; other errors are bugs and pass."""
    try:
        yield
    except (*_AWAY, exceptions.ResponseError) as error:
        if not isinstance(error, _AWAY) and not _AWAY_WORDS.search(str(error)):
            raise
        remedy = "mend that" if refusal(error) else "start it"
        raise RedisUnreachable(
            f"Redis cannot be used now ({_reason(error)}): {remedy}, or mend BOTLANE_REDIS_URL."
        ) from error


def stock_settings(url: str) -> RedisSettings:
    """Return the same address for arq's own worker, which makes its connections itself."""
    if not url.startswith(SCHEME):
        return RedisSettings.from_dsn(url)
    watched = read_address(url)
    return RedisSettings(
        host=list(watched.sentinels),
        sentinel=True,
        sentinel_master=watched.service,
        database=watched.database,
        username=watched.username,
        password=watched.password,
    )


def _reason(error: Exception) -> str:
    if said := refusal(error):
        return said
    if isinstance(error, TimeoutError | exceptions.TimeoutError):
        return "no answer in time"
    return type(error).__name__
