"""The gate to what is protected: an attempt enters, and leaves when it has ended; each is one script in Redis."""

from pathlib import Path
from typing import Any

import msgspec
from arq.connections import ArqRedis

from shared.protection.guards import Guard
from shared.queue import scripts
from shared.store import call_keys
from shared.store.batches import Batches
from shared.store.packing import Script

SCRIPTS = ("enter", "leave", "live")
LIFE_MS = 60_000
_FOLDER = Path(__file__).parent


class Entered(msgspec.Struct, frozen=True):
    """How ENTER answered.

    `go`: make the attempt now, then `leave`. `wait` (for a place of `guard`) and `planned` (for its rate): ask again
    after `seconds`, or when told. `open` (the breaker of `guard` is, for `seconds` more) and `late` (the rate of
    `guard` has its next place in `seconds`, when the call is over): do not make it; nothing is held.
    """

    outcome: str
    seconds: float
    guard: Guard | None = None


class Gate:
    """Asks. Every method raises RedisUnreachable; each may be repeated."""

    def __init__(self, redis: ArqRedis) -> None:
        self._batches = Batches(redis)
        self._scripts = {name: Script(scripts.source(name, _FOLDER)) for name in SCRIPTS}

    async def enter(self, guards: tuple[Guard, ...], ticket: str, left: float) -> Entered:
        """Ask to make an attempt of a call that has `left` seconds. A ticket is `<worker>:<random>`, one an attempt."""
        word, ms, number = await self._run("enter", guards, ticket, max(round(left * 1000), 0), "")
        return Entered(word.decode(), ms / 1000, guards[number - 1] if number else None)

    async def leave(self, guards: tuple[Guard, ...], ticket: str, verdict: str, word: str) -> list[tuple[Guard, str]]:
        """Say how an attempt ended (`verdict`), or `unused`; return the breakers that became `open` or `closed`."""
        became = await self._run("leave", guards, ticket, verdict, word)
        return [(guard, state.decode()) for guard, state in zip(guards, became, strict=True) if state]

    async def live(self, worker: str) -> None:
        """Say that a worker lives, which it has to while it holds places or waits for some."""
        await self._batches.run(self._scripts["live"], [call_keys.living(worker)], (LIFE_MS,))

    async def _run(self, script: str, guards: tuple[Guard, ...], *arguments: Any) -> Any:
        names = [
            call_keys.guards(),
            call_keys.told(""),
            call_keys.living(""),
            *(name for guard in guards for name in call_keys.guard(guard.id)),
        ]
        told = [argument for guard in guards for argument in guard.arguments]
        return await self._batches.run(self._scripts[script], names, (*arguments, *told))
