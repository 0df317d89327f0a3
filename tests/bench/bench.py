"""What the rows share: the systems under test, started once and kept, and how much there is to do."""

import contextlib
from pathlib import Path
from typing import Self

from tests.bench.systems import System, Systems

BOTS = Path(__file__).parent / "bots"
COUNTING, PLAIN, SAYING = (BOTS / f"{name}.json" for name in ("counting", "plain", "saying"))


class Bench:
    """One run of the benchmarks. `quick` is one round of the shortest form, `long` the long form of some rows.

    `corpus` is the folder of real exports, if there is one; `rate` the messages/s of Botlane in W, once that was measured.
    """

    def __init__(self, folder: Path, *, quick: bool = False, long: bool = False, corpus: Path | None = None) -> None:
        self.folder = folder
        self.systems = Systems(folder)
        self.quick = quick
        self.long = long
        self.corpus = corpus
        self.rate = 0.0
        self._inline: System | None = None
        self._botlane: System | None = None
        self._running = contextlib.AsyncExitStack()

    def rounds(self, count: int) -> int:
        """Return how often to measure."""
        return 1 if self.quick else count

    async def inline(self) -> System:
        """Return the baseline, started when first asked for."""
        if self._inline is None:
            self._inline = await self._running.enter_async_context(self.systems.inline())
        return self._inline

    async def botlane(self) -> System:
        """Return Botlane with the counting bot, started when first asked for."""
        if self._botlane is None:
            self._botlane = await self._running.enter_async_context(self.systems.botlane([COUNTING]))
        return self._botlane

    async def quiet(self) -> None:
        """End what is kept: the next row measures something alone."""
        await self._running.aclose()
        self._running = contextlib.AsyncExitStack()
        self._inline = self._botlane = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.quiet()
