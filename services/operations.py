"""The operations port of every program: is it alive, is it ready, and its numbers. Never on the public port."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from services.settings import SettingsError

CHECK_SECONDS = 2.5
_SHUTDOWN_SECONDS = 0.5

Check = Callable[[], Awaitable[object]]

_checks: web.AppKey[Mapping[str, Check]] = web.AppKey("checks")
_refresh: web.AppKey[Callable[[], Awaitable[None]]] = web.AppKey("refresh")


async def _nothing() -> None:
    """Refresh nothing."""


async def start_operations(
    address: str, checks: Mapping[str, Check], refresh: Callable[[], Awaitable[None]] = _nothing
) -> web.AppRunner:
    """Serve /healthz, /readyz and /metrics at `host:port`; the caller cleans the runner up.

    The program is ready when every check returns; one that raises or takes too long is named in the answer, without
    its reason. `refresh` is awaited before numbers are given. Raises SettingsError when the address cannot be used.
    """
    app = web.Application()
    app[_checks] = checks
    app[_refresh] = refresh
    app.router.add_get("/healthz", _health)
    app.router.add_get("/readyz", _ready)
    app.router.add_get("/metrics", _metrics)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
    await runner.setup()
    host, _, port = address.rpartition(":")
    try:
        await web.TCPSite(runner, host.strip("[]"), int(port)).start()
    except OSError as error:
        await runner.cleanup()
        raise SettingsError(f"BOTLANE_OPS: {address} cannot be used ({error.strerror}): give another port.") from error
    return runner


async def _health(_request: web.Request) -> web.Response:
    return web.json_response({"alive": True})


async def _ready(request: web.Request) -> web.Response:
    checks = request.app[_checks]
    passed = await asyncio.gather(*(_passes(check) for check in checks.values()))
    failed = [name for name, fine in zip(checks, passed, strict=True) if not fine]
    if failed:
        return web.json_response({"ready": False, "failed": failed}, status=web.HTTPServiceUnavailable.status_code)
    return web.json_response({"ready": True})


async def _passes(check: Check) -> bool:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await check()
    except Exception:  # noqa: BLE001 - whatever it is, the program is not ready
        return False
    return True


async def _metrics(request: web.Request) -> web.Response:
    await request.app[_refresh]()
    return web.Response(body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})
