"""Start the dialog worker: `python -m services.dialog_worker`, or with `--check` tell whether it could work now.

Exit codes: 0 done, 1 turn processes do not start, 2 wrong use or a bad setting, 3 Redis not reachable.
"""

import argparse
import sys
from collections.abc import Sequence

import structlog
import uvloop

from services.dialog_worker.turn_processes import EngineFailure
from services.dialog_worker.worker import build_parts, build_worker
from services.logs import configure_logs
from services.operations import start_operations
from services.settings import Settings, SettingsError, read_settings
from shared.queue.worker import DoorbellWorker
from shared.store.connection import RedisUnreachable, connect, reach

NO_TURNS = 1
WRONG_USE = 2
NO_REDIS = 3

log = structlog.get_logger()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    parser = argparse.ArgumentParser(prog="dialog-worker", description="Take the turns of conversations.")
    parser.add_argument("--check", action="store_true", help="say whether turns could be taken now (0 yes, 1, 3 no)")
    check = parser.parse_args(arguments).check
    try:
        settings = read_settings()
        configure_logs(settings.log_format, "dialog-worker")
        uvloop.run(_check(settings) if check else _work(settings))
    except SettingsError as error:
        return _fail(error, WRONG_USE)
    except RedisUnreachable as error:
        return _fail(error, NO_REDIS)
    except EngineFailure as error:
        return _fail(error, NO_TURNS)
    return 0


async def _check(settings: Settings) -> None:
    redis = connect(settings.redis_url)
    parts = build_parts(settings, redis)
    try:
        await reach(redis)
        await parts.processes.start()
    finally:
        await parts.processes.close()
        await redis.aclose()


async def _work(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT. Raises RedisUnreachable, SettingsError and EngineFailure before it begins."""
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
    finally:
        await operations.cleanup()


async def _started(worker: DoorbellWorker) -> None:
    if "background" not in worker.ctx:
        raise EngineFailure("turn processes are starting")


def _fail(error: Exception, code: int) -> int:
    sys.stderr.write(f"{error}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
