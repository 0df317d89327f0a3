"""Bot versions as the worker needs them: their content, and the few facts that it reads itself.

Versions are immutable, so what was read once stays true. A version in use is renewed at most hourly.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Mapping

import msgspec
import structlog

from shared.bot.bot import compile_bot
from shared.bot.domains import Domain
from shared.bot.source import open_blob
from shared.bot.understanding import Understanding
from shared.privacy.naming import Sensitive
from shared.store.bots import Bots, CurrentBot

KEEP_SECONDS = 3600.0
MOST_VERSIONS = 64

log = structlog.get_logger()


class VersionGone(Exception):  # noqa: N818 - a state of the world
    """A session's bot version has expired, or its bot was never published: deploy it again."""


class Facts(msgspec.Struct, frozen=True):
    """What the worker reads of a bot: its default error text, the budget of each integration's call in ms.

    And by what texts are understood, since an endpoint is asked by the worker, at addresses in `private` too; and which
    variables are sensitive, and which are looked up.
    """

    default_error: str | None = None
    budgets: Mapping[str, int] = {}
    understanding: Understanding = Understanding()
    private: tuple[str, ...] = ()
    sensitive: Sensitive = Sensitive()
    domains: Mapping[str, Domain] = {}


class Versions:
    """Reads bot versions, and keeps the last ones used.

    `conversation_ttl` (seconds) is how long a version lives without renewal: a short one is renewed more often.
    """

    def __init__(self, bots: Bots, conversation_ttl: float = 4 * KEEP_SECONDS) -> None:
        self._bots = bots
        self._keep_seconds = min(KEEP_SECONDS, conversation_ttl / 4)
        self._facts: OrderedDict[str, Facts] = OrderedDict()
        self._reading: dict[str, asyncio.Task[Facts]] = {}
        self._kept: dict[str, float] = {}

    async def current(self, bot_id: str) -> CurrentBot:
        """Return what the bot id stands for now. Raises VersionGone when there is no such bot."""
        current = await self._bots.current(bot_id)
        if current is None:
            raise VersionGone(f"No bot {bot_id} is published: deploy it.")
        return current

    async def blob(self, version: str) -> bytes:
        """Return the content of a version. Raises VersionGone."""
        blob = await self._bots.blob(version)
        if blob is None:
            raise VersionGone(f"Bot version {version[:12]} is gone.")
        return blob

    async def facts(self, version: str) -> Facts:
        """Return the facts of a version, none of them when it cannot be compiled. Raises VersionGone."""
        if version not in self._facts:
            self._facts[version] = await asyncio.shield(self._reading.get(version) or self._begin_reading(version))
        self._facts.move_to_end(version)
        while len(self._facts) > MOST_VERSIONS:
            self._facts.popitem(last=False)
        return self._facts[version]

    def _begin_reading(self, version: str) -> asyncio.Task[Facts]:
        """Read a version once, however many conversations ask for it when the worker has just started."""
        reading = self._reading[version] = asyncio.create_task(self._read(version))
        reading.add_done_callback(lambda _: self._reading.pop(version))
        return reading

    async def _read(self, version: str) -> Facts:
        return await asyncio.to_thread(read_facts, await self.blob(version))

    async def keep(self, version: str, bot_id: str) -> None:
        """Renew the life of a version on which a turn has run."""
        now = time.monotonic()
        self._kept = {known: at for known, at in self._kept.items() if now - at < self._keep_seconds}
        if version not in self._kept:
            await self._bots.keep(version, bot_id)
            self._kept[version] = now


def read_facts(blob: bytes) -> Facts:
    """Compile a version and keep what the worker reads of it."""
    try:
        bot = compile_bot(open_blob(blob))
    except Exception:  # an event has to be given up even when nothing can be made of its bot
        log.exception("a bot version cannot be read")
        return Facts()
    budgets = {name: int(item.policy.total_timeout * 1000) for name, item in bot.integrations.items()}
    asked = bot.understanding if bot.understanding.url else Understanding()
    return Facts(bot.default_error, budgets, asked, bot.egress.private, Sensitive(bot.sensitive), bot.domains)
