"""Start the integration worker: `python -m services.integration_worker`, or with `--check` tell whether it could work.

Exit codes: 0 done, 2 wrong use or a bad setting, 3 Redis not reachable.
"""

import argparse
import resource
import sys
from collections.abc import Sequence

import structlog
import uvloop

from services.integration_worker.worker import REDIS_CONNECTIONS, build_worker
from services.logs import configure_logs
from services.operations import start_operations
from services.settings import Settings, SettingsError, read_settings
from shared.store.connection import RedisUnreachable, connect, reach

WRONG_USE = 2
NO_REDIS = 3
OPEN_FILES = 8192

log = structlog.get_logger()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    parser = argparse.ArgumentParser(prog="integration-worker", description="Make the calls that bots ask for.")
    parser.add_argument("--check", action="store_true", help="say whether Redis answers, and exit (0 yes, 3 no)")
    check = parser.parse_args(arguments).check
    try:
        settings = read_settings()
        configure_logs(settings.log_format, "integration-worker")
        uvloop.run(_check(settings) if check else _work(settings))
    except SettingsError as error:
        return _fail(error, WRONG_USE)
    except RedisUnreachable as error:
        return _fail(error, NO_REDIS)
    return 0


async def _check(settings: Settings) -> None:
    redis = connect(settings.redis_url)
    try:
        await reach(redis)
    finally:
        await redis.aclose()


async def _work(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT. Raises RedisUnreachable and SettingsError before it begins."""
    _allow_open_files()
    redis = connect(settings.redis_url, max_connections=REDIS_CONNECTIONS)
    try:
        await reach(redis)
        operations = await start_operations(settings.ops, {"redis": lambda: reach(redis)})
    except (RedisUnreachable, SettingsError):
        await redis.aclose()
        raise
    worker = build_worker(settings, redis)
    log.info("working", shards=settings.shards)
    try:
        await worker.serve()
    finally:
        await operations.cleanup()


def _allow_open_files() -> None:
    """Raise the soft limit: every call has a socket, and the usual 1,024 would be reached first."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _fail(error: Exception, code: int) -> int:
    sys.stderr.write(f"{error}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
