"""Compiled bots by version. A version is immutable, so what was compiled once stays right."""

import asyncio
from collections import OrderedDict

from shared.bot.bot import compile_bot
from shared.bot.errors import BotError
from shared.bot.model import Bot
from shared.bot.source import open_blob
from shared.store.bots import Bots

MOST_BOTS = 64


class BotUnusable(Exception):  # noqa: N818 - a state of the world
    """The bot's version is gone, or cannot be compiled: deploy the bot again."""


class CompiledBots:
    """Compiles each version once, however many calls ask at the same time, and keeps the last ones used."""

    def __init__(self, bots: Bots) -> None:
        self._bots = bots
        self._compiled: OrderedDict[str, asyncio.Task[Bot]] = OrderedDict()

    async def get(self, version: str) -> Bot:
        """Return a bot. Raises BotUnusable, and RedisUnreachable when it has to be read and cannot."""
        task = self._compiled.get(version)
        if task is None or (task.done() and (task.cancelled() or task.exception())):
            task = self._compiled[version] = asyncio.create_task(self._compile(version))
        self._compiled.move_to_end(version)
        while len(self._compiled) > MOST_BOTS:
            self._compiled.popitem(last=False)
        return await asyncio.shield(task)

    async def _compile(self, version: str) -> Bot:
        blob = await self._bots.blob(version)
        if blob is None:
            raise BotUnusable(f"the bot's version {version[:12]} is gone: deploy the bot again")
        try:
            return await asyncio.to_thread(compiled, blob)
        except BotError as error:
            raise BotUnusable(f"the bot's version {version[:12]} cannot be compiled: deploy the bot again") from error


def compiled(blob: bytes) -> Bot:
    """Return the bot of a version's content. Raises BotError."""
    return compile_bot(open_blob(blob))
