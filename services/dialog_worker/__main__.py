"""Start the dialog worker: `python -m services.dialog_worker`."""

import sys

import structlog

from services.dialog_worker.turn_processes import EngineFailure
from services.dialog_worker.worker import build_worker
from services.operations import start_operations
from services.program import CannotWork, Program
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
        operations = await start_operations(settings.ops, checks)
    except (RedisUnreachable, SettingsError):
        await redis.aclose()
        raise
    log.info("working", shards=settings.shards, turn_processes=settings.turn_processes)
    try:
        await worker.serve()
    except EngineFailure as error:
        raise CannotWork(str(error)) from error
    finally:
        await operations.cleanup()


async def _started(worker: DoorbellWorker) -> None:
    if "background" not in worker.ctx:
        raise EngineFailure("turn processes are starting")


PROGRAM = Program("dialog-worker", "Take the turns of conversations.", _work)

if __name__ == "__main__":
    sys.exit(PROGRAM.main())
