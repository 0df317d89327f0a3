"""Breaks things at random moments, to be repeated by a seed; how, is up to who owns the installation."""

import asyncio
import random
import time
from typing import Protocol

import msgspec

SHORTEST, LONGEST = 0.4, 2.4
"""Seconds between two strikes."""


class Strike(msgspec.Struct, frozen=True):
    """What was broken, and when: seconds since the load began."""

    at: float
    kind: str


class Targets(Protocol):
    """An installation that can be struck."""

    kinds: tuple[str, ...]

    async def strike(self, kind: str, chance: random.Random) -> bool:
        """Break one thing; False: there was nothing of this kind to break."""


async def strike_at_random(targets: Targets, seed: int, struck: list[Strike]) -> None:
    """Strike until cancelled, and note the strikes. Kinds come in rounds, so that none is left out."""
    chance = random.Random(f"strikes/{seed}")  # noqa: S311 - to be repeated by its seed
    begun = time.monotonic()
    left: list[str] = []
    while True:
        await asyncio.sleep(chance.uniform(SHORTEST, LONGEST))
        if not left:
            left = chance.sample(targets.kinds, len(targets.kinds))
        kind = left.pop()
        if await targets.strike(kind, chance):
            struck.append(Strike(round(time.monotonic() - begun, 2), kind))
