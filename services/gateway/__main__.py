"""Start the gateway: `python -m services.gateway`, or with `--check` tell whether it could serve now.

Exit codes: 0 done, 2 wrong use or a bad setting, 3 Redis not reachable.
"""

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence

import structlog
import uvloop
from aiohttp import web

from services.gateway.app import build_app
from services.gateway.listening import listen
from services.logs import configure_logs
from services.operations import start_operations
from services.settings import Settings, SettingsError, read_settings
from shared.store.connection import RedisUnreachable, connect, reach

WRONG_USE = 2
NO_REDIS = 3
_SHUTDOWN_SECONDS = 1.5

log = structlog.get_logger()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    parser = argparse.ArgumentParser(prog="gateway", description="Accept messages and callbacks over HTTP.")
    parser.add_argument("--check", action="store_true", help="say whether Redis answers, and exit (0 yes, 3 no)")
    check = parser.parse_args(arguments).check
    try:
        settings = read_settings()
        if not settings.secrets:
            raise SettingsError("BOTLANE_SECRET is not set: give it at least 16 random characters.")  # noqa: TRY301 - one way out
        if not check:
            configure_logs(settings.log_format, "gateway")
        uvloop.run(_check(settings) if check else _serve(settings))
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


async def _serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises SettingsError and RedisUnreachable before it begins."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    redis = connect(settings.redis_url)
    runner: web.AppRunner | None = None
    operations: web.AppRunner | None = None
    try:
        await reach(redis)
        runner = web.AppRunner(build_app(settings, redis), access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
        await runner.setup()
        await listen(runner, settings.host, settings.port)
        operations = await start_operations(settings.ops, {"redis": lambda: reach(redis)})
        log.info("listening", host=settings.host, port=runner.addresses[0][1])
        await stop.wait()
    finally:
        for started in (runner, operations):
            if started is not None:
                await started.cleanup()
        await redis.aclose()


def _fail(error: Exception, code: int) -> int:
    sys.stderr.write(f"{error}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
