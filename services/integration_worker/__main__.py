"""Start the integration worker: `python -m services.integration_worker`."""

import asyncio
import resource
import sys

import structlog

from services.heartbeat import heartbeat
from services.integration_worker.guard_gauges import guard_gauges
from services.integration_worker.worker import REDIS_CONNECTIONS, build_worker
from services.operations import start_operations
from services.program import Program
from services.queue_figures import queue_figures
from services.settings import Settings, SettingsError
from shared.store.connection import RedisUnreachable, connect, reach

OPEN_FILES = 8192

log = structlog.get_logger()


async def _work(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT. Raises RedisUnreachable and SettingsError before it begins."""
    _allow_open_files()
    redis = connect(settings.redis_url, max_connections=REDIS_CONNECTIONS)
    figures, gauges = queue_figures(redis, settings.shards), guard_gauges(redis)

    async def refresh() -> None:
        await asyncio.gather(figures.refresh(), gauges.refresh())

    try:
        await reach(redis)
        operations = await start_operations(settings.ops, {"redis": lambda: reach(redis)}, refresh)
    except (RedisUnreachable, SettingsError):
        await redis.aclose()
        raise
    worker = build_worker(settings, redis)
    log.info("working", shards=settings.shards)
    try:
        async with heartbeat(settings, "integration-worker", lambda: {"calls": worker.job_counter}):
            await worker.serve()
    finally:
        await operations.cleanup()


def _allow_open_files() -> None:
    """Raise the soft limit: every call has a socket, and the usual 1,024 would be reached first."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


PROGRAM = Program("integration-worker", "Make the calls that bots ask for.", _work)

if __name__ == "__main__":
    sys.exit(PROGRAM.main())
