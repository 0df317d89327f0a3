"""A conversation to be worked on, with an engine of the test's choice, and an endpoint that understands texts."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from arq.connections import ArqRedis

from services.settings import Settings
from tests.services.dialog_worker.conversations import Engine, Talk, repeats

Talks = Callable[..., Awaitable[Talk]]
Serve = Callable[[Any], Awaitable[str]]


@pytest.fixture
def talk_with(redis: ArqRedis) -> Talks:
    """Start a conversation with a bot whose turns `engine` answers."""

    async def start(engine: Engine = repeats, **settings: object) -> Talk:
        talk = Talk(redis, Settings(**settings), engine)  # type: ignore[arg-type]
        await talk.create()
        return talk

    return start


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start a server that answers everything with this: JSON, or what a handler gives."""
    runners: list[web.AppRunner] = []

    async def start(answer: Any) -> str:
        async def same(_: web.Request) -> web.StreamResponse:
            return web.json_response(answer)

        app = web.Application()
        app.router.add_post("/model/parse", answer if callable(answer) else same)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        runners.append(runner)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        [address] = runner.addresses
        return f"http://127.0.0.1:{address[1]}/model/parse"

    yield start
    for runner in runners:
        await runner.cleanup()
