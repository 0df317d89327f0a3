"""How every program starts: settings, logs, `--check`, and what its exit codes mean.

Exit codes: 0 done (or ready, with `--check`), 1 it cannot work here (or is not ready), 2 wrong use or a bad setting,
3 Redis not reachable, 130 interrupted before it could listen to signals.
"""

import argparse
import asyncio
import gc
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import uvloop

from services.logs import configure_logs
from services.readiness import why_not_ready
from services.settings import Settings, SettingsError, read_settings
from shared.store.connection import RedisUnreachable, connect, reach

NOT_READY = 1
WRONG_USE = 2
NO_REDIS = 3
INTERRUPTED = 130
GARBAGE = 10_000
"""So many objects more than before are looked through, by default 700: a hundred conversations have as many."""
CHECK_HELP = "Ask the program that runs on this machine whether it is ready, at BOTLANE_OPS: exit code 0, 1 or 3."


class CannotWork(Exception):  # noqa: N818 - what is the matter with the program, in words
    """The program cannot do its work on this machine: the message says why."""


class Program(NamedTuple):
    """A program: `serve` runs until SIGTERM or SIGINT, and raises before it begins what keeps it from working."""

    name: str
    about: str
    serve: Callable[[Settings], Awaitable[None]]
    needs_secret: bool = False

    def main(self, arguments: Sequence[str] | None = None) -> int:
        """Run the program, or check it, and return the exit code."""
        parser = argparse.ArgumentParser(prog=self.name, description=self.about)
        parser.add_argument("--check", action="store_true", help=CHECK_HELP)
        checked = parser.parse_args(arguments).check
        try:
            settings = read_settings()
            if checked:
                check(self.name, settings)
            else:
                self._run(settings)
        except SettingsError as error:
            return _fail(error, WRONG_USE)
        except RedisUnreachable as error:
            return _fail(error, NO_REDIS)
        except CannotWork as error:
            return _fail(error, NOT_READY)
        except KeyboardInterrupt:
            return INTERRUPTED
        return 0

    def _run(self, settings: Settings) -> None:
        if self.needs_secret and not settings.secrets:
            raise SettingsError("BOTLANE_SECRET is not set: give it at least 16 random characters.")
        configure_logs(settings.log_format, self.name)
        spare_collections()
        uvloop.run(_as_coroutine(self.serve(settings)))


def spare_collections() -> None:
    """Look for garbage in cycles less often, and not among what was imported: it cost up to 8 % of a message."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE)


def check(name: str, settings: Settings) -> None:
    """Ask the running program at its operations address. Raises CannotWork, or RedisUnreachable when that is why."""
    why = why_not_ready(settings.ops)
    if not why:
        return
    asyncio.run(_reach(settings))
    raise CannotWork(f"{name}: not ready: {why}.")


async def _reach(settings: Settings) -> None:
    redis = connect(settings.redis_url)
    try:
        await reach(redis)
    finally:
        await redis.aclose()


async def _as_coroutine(serving: Awaitable[None]) -> None:
    await serving


def _fail(error: Exception, code: int) -> int:
    sys.stderr.write(f"{error}\n")
    return code
