"""Bots made of scripts, and a pool to run them in."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from services.dialog_worker.turn_processes import Allowance, TurnProcesses, Walls
from shared.bot.source import BotSource
from shared.dialog.effects import Reply
from shared.dialog.events import ConsumerMessage
from shared.dialog.frames import Advance, Answer
from shared.dialog.session import Conversation
from shared.scripting.limits import Limits

LIMITS = Limits(script_seconds=0.1)
# A machine under load must not be taken for a hang: only what hangs for good meets these walls.
WALLS = Walls(script=15, run=30, turn=60)
WITH_SHORT_WALLS = Walls(script=0.8, run=20, turn=40)
# Searching for a needle that nearly fits everywhere: the engine looks at no clock meanwhile.
NATIVE_HANG = "var s = 'a'.repeat(4e6); s.indexOf('a'.repeat(2e6) + 'b')"


def bot_of(*scripts: str, functions: str = "", text: str = "end") -> BotSource:
    """A bot that answers everything with one text for each script, run as its Pre-Process Code."""
    ids = [f"m{at}" for at in range(len(scripts))]
    messages = [
        {
            "id": own,
            "name": own,
            "type": "BOT_MESSAGE",
            "interactionType": "TEXT",
            "group": "g",
            "status": "ACTIVE",
            "prevMessageId": before,
            "nextMessageId": after,
            "preProcessMessage": script,
            "content": {"contentType": "STATIC", "results": {"type": "TEXT", "tile": {"tileData": [{"text": text}]}}},
            "responseMatches": [{"conditions": [], "action": {"name": "INTERACTION", "value": "next"}}],
        }
        for own, before, after, script in zip(ids, [None, *ids], [*ids[1:], None], scripts, strict=False)
    ]
    export = {
        "bot": {"id": "b", "name": "b"},
        "groups": [{"id": "g", "name": "g", "dialogType": "FALLBACK_DIALOG", "status": "ENABLED"}],
        "conversationMessage": messages,
        "globalFunctions": {"methods": functions},
    }
    return BotSource(msgspec.json.encode(export))


def request_for(bot: BotSource, **fields: Any) -> Advance:
    event = ConsumerMessage("hello", sequence=1, at=1_700_000_000_000, new_session=True)
    request = Advance(bot.version, Conversation("0-c", "b", "u"), None, event, 1)
    return msgspec.structs.replace(request, **fields)


def texts(answer: Answer) -> list[str | None]:
    return [effect.text for effect in answer.effects if isinstance(effect, Reply)]


def codes(answer: Answer) -> list[str]:
    return [line.code for line in answer.trace if line.level == "warning"]


class Pool(TurnProcesses):
    """A pool that fetches versions from where the test put them, and counts how often it had to."""

    fetched = 0

    async def ask(self, bot: BotSource, allowance: Allowance | None = None, **fields: Any) -> Answer:
        async def blob() -> bytes:
            self.fetched += 1
            return bot.blob

        return await self.advance(request_for(bot, **fields), blob, allowance)

    @property
    def pids(self) -> list[int]:
        return [child.process.pid for child in self._children if child.process]


Start = Callable[..., Awaitable[Pool]]


@asynccontextmanager
async def running_pool(limits: Limits = LIMITS) -> AsyncIterator[Pool]:
    """A pool of one turn at a time (and its spare)."""
    pool = Pool(1, limits=limits, walls=WALLS)
    await pool.start()
    yield pool
    await pool.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pool() -> AsyncIterator[Pool]:
    """One pool for the tests of a module that share a loop, and leave its children as they are."""
    async with running_pool() as started:
        yield started


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Start a pool of one turn at a time (and its spare)."""
    pools: list[Pool] = []

    async def start(size: int = 1, limits: Limits = LIMITS, walls: Walls = WALLS) -> Pool:
        pool = Pool(size, limits=limits, walls=walls)
        pools.append(pool)
        await pool.start()
        return pool

    yield start
    for pool in pools:
        await pool.close()
