"""A conversation to be worked on, with an engine of the test's choice."""

from collections.abc import Awaitable, Callable

import pytest
from arq.connections import ArqRedis

from services.settings import Settings
from tests.services.dialog_worker.conversations import Engine, Talk, repeats

Talks = Callable[..., Awaitable[Talk]]


@pytest.fixture
def talk_with(redis: ArqRedis) -> Talks:
    """Start a conversation with a bot whose turns `engine` answers."""

    async def start(engine: Engine = repeats, **settings: object) -> Talk:
        talk = Talk(redis, Settings(**settings), engine)  # type: ignore[arg-type]
        await talk.create()
        return talk

    return start
