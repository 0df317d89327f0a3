"""Waiting for Redis."""

import asyncio

import pytest

from services.integration_worker.patience import patiently
from shared.store.connection import RedisUnreachable


class Away:
    """Answers after so many refusals."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals

    async def ask(self) -> str:
        if self.refusals:
            self.refusals -= 1
            raise RedisUnreachable
        return "answer"


async def test_an_answer_that_comes_back_is_waited_for() -> None:
    assert await patiently(Away(1).ask, 5.0) == "answer"


async def test_patience_ends() -> None:
    with pytest.raises(RedisUnreachable):
        await patiently(Away(10).ask, 0.05)


async def test_what_is_no_absence_of_redis_is_raised_at_once() -> None:
    with pytest.raises(asyncio.CancelledError):
        await patiently(lambda: asyncio.sleep(0, asyncio.current_task().cancel()), 5.0)  # type: ignore[union-attr]
