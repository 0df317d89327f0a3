"""An API that takes its time: `GET /wait/MS` answers after so many milliseconds. `python -m tests.bench.slow_server PORT`.

`GET /asked` says how often it was asked to wait.
"""

import asyncio
import signal
import sys

import uvloop
from aiohttp import web


class _Slow:
    def __init__(self) -> None:
        self._asked = 0

    async def wait(self, request: web.Request) -> web.Response:
        self._asked += 1
        await asyncio.sleep(int(request.match_info["ms"]) / 1000)
        return web.json_response({"text": "done"})

    async def asked(self, _: web.Request) -> web.Response:
        return web.json_response(self._asked)


async def serve(port: int) -> None:
    """Serve until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    slow, app = _Slow(), web.Application()
    app.router.add_get("/wait/{ms}", slow.wait)
    app.router.add_get("/asked", slow.asked)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=4096).start()
    await stop.wait()
    await runner.cleanup()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
