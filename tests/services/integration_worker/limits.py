"""What tests of limits begin with: calls of one worker, and answers that wait for what others do."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import cast

from aiohttp import web
from arq.connections import ArqRedis

from services.integration_worker.call import Calls
from services.integration_worker.protecting import Pause, Protector
from shared.dialog.events import CallOutcome
from shared.integration.client import OutboundClient
from shared.store import call_keys
from tests.services.integration_worker.calling import Waiting, responder, until
from tests.services.integration_worker.misbehaving import Server

OK = (200, {"Content-Type": "application/json"}, b'{"ok":1}')
BAD: tuple[int, dict[str, str], bytes] = (503, {}, b"no")
ONCE = "retries = 0\n"


async def unexpected() -> None:
    raise AssertionError("it does not wait")


async def never() -> bool:
    raise AssertionError("it does not wait")


NEVER = Pause(unexpected, never)


class Crowd:
    """An answer that takes a moment from when `full` have waited for it together, and counts how many do."""

    def __init__(self, full: int) -> None:
        self.full, self.now, self.most, self.count = full, 0, 0, 0
        self._filled = asyncio.Event()

    async def __call__(self, _: web.Request) -> web.Response:
        self.count += 1
        self.now += 1
        self.most = max(self.most, self.now)
        if self.now >= self.full:
            self._filled.set()
        await self._filled.wait()
        await asyncio.sleep(0.01)
        self.now -= 1
        return web.Response(text="{}")


@asynccontextmanager
async def maker(waiting: Waiting) -> AsyncIterator[Calls]:
    """Calls of one worker."""
    protector = Protector(waiting.redis)
    async with OutboundClient() as client:
        yield waiting.maker(client, protector)
    await protector.close()


async def outcomes(waiting: Waiting, calls: list[str]) -> list[CallOutcome]:
    found = [await waiting.outcome(call_id) for call_id in calls]
    assert all(found)
    return cast("list[CallOutcome]", found)


def holds(waiting: Waiting, key: str, count: int = 1) -> Callable[[], Awaitable[bool]]:
    """Whether so many are in a line, or have a start."""

    async def enough() -> bool:
        return int(await waiting.redis.zcard(key)) >= count

    return enough


def fails_when(happened: Callable[[], Awaitable[bool]]) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Answer 503, but not before something has happened."""

    async def answer(_: web.Request) -> web.Response:
        while not await happened():
            await asyncio.sleep(0.005)
        return web.Response(status=503)

    return answer


async def keys_of_guards(redis: ArqRedis) -> set[bytes]:
    return set(await redis.keys("*{protection}*"))


@asynccontextmanager
async def one_behind_another(
    waiting: Waiting, server: Server
) -> AsyncIterator[tuple[str, asyncio.Task[None], asyncio.Task[None]]]:
    """Two calls of an integration that allows one at once: the second, its task, and that of the first, which hangs."""
    server.answers = [server.hang, OK]
    await waiting.publish(responder("It", server.url), manifest="concurrency = 1\n")
    first, second = await waiting.call("It"), await waiting.call("It")
    line = call_keys.guard("integration:bot:It")[2]
    async with maker(waiting) as made:
        holding = asyncio.create_task(made.call(first))
        await until(server.called(1), holding)
        waits = asyncio.create_task(made.call(second))
        await until(holds(waiting, line), waits)
        yield second, waits, holding
