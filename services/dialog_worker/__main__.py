"""Start the dialog worker: `python -m services.dialog_worker`."""

import sys

import structlog

from services.dialog_worker.turn_processes import EngineFailure
from services.dialog_worker.worker import build_worker
from services.heartbeat import heartbeat
from services.operations import start_operations
from services.program import CannotWork, Program
from services.queue_figures import queue_figures
from services.settings import Settings, SettingsError
from shared.queue.worker import DoorbellWorker
from shared.store.connection import RedisUnreachable, connect, reach

log = structlog.get_logger()


async def _work(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT. Raises RedisUnreachable, SettingsError and CannotWork before it begins."""
    redis = connect(settings.redis_url)
    worker = build_worker(settings, redis)
    checks = {"redis": lambda: reach(redis), "turn processes": lambda: _started(worker)}
    try:
        await reach(redis)
        operations = await start_operations(settings.ops, checks, queue_figures(redis, settings.shards).refresh)
    except (RedisUnreachable, SettingsError):
        await redis.aclose()
        raise
    log.info("working", shards=settings.shards, turn_processes=settings.turn_processes)
    try:
        async with heartbeat(settings, "dialog-worker", lambda: _load(worker)):
            await worker.serve()
    except EngineFailure as error:
        raise CannotWork(str(error)) from error
    finally:
        await operations.cleanup()


async def _started(worker: DoorbellWorker) -> None:
    if "background" not in worker.ctx:
        raise EngineFailure("turn processes are starting")


def _load(worker: DoorbellWorker) -> dict[str, int]:
    parts = worker.ctx.get("parts")
    return {"turns": worker.job_counter, "turn processes": parts.processes.alive if parts else 0}


PROGRAM = Program("dialog-worker", "Take the turns of conversations.", _work)

if __name__ == "__main__":
    sys.exit(PROGRAM.main())
