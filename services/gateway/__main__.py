"""Start the gateway: `python -m services.gateway`."""

import asyncio
import signal
import sys

import structlog
from aiohttp import web

from services.gateway.app import build_app
from services.gateway.listening import listen
from services.gateway.parts import PARTS
from services.heartbeat import heartbeat
from services.operations import start_operations
from services.program import Program
from services.queue_figures import queue_figures
from services.settings import Settings
from shared.store.connection import connect, reach

_SHUTDOWN_SECONDS = 1.5

log = structlog.get_logger()


async def _serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises SettingsError and RedisUnreachable before it begins."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    redis = connect(settings.redis_url)
    figures = queue_figures(redis, settings.shards)
    runner: web.AppRunner | None = None
    operations: web.AppRunner | None = None
    try:
        await reach(redis)
        app = build_app(settings, redis)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
        await runner.setup()
        await listen(runner, settings.host, settings.port)
        operations = await start_operations(settings.ops, {"redis": lambda: reach(redis)}, figures.refresh)
        log.info("listening", host=settings.host, port=runner.addresses[0][1])
        async with heartbeat(settings, "gateway", lambda: {"listening": app[PARTS].notifications.listeners}):
            await stop.wait()
    finally:
        for started in (runner, operations):
            if started is not None:
                await started.cleanup()
        await redis.aclose()


PROGRAM = Program("gateway", "Accept messages and callbacks over HTTP.", _serve, needs_secret=True)

if __name__ == "__main__":
    sys.exit(PROGRAM.main())
