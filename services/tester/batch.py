"""Plays the scenarios of many files, in this process or in several, each bot compiled once in each of them."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import msgspec

from services.tester.playing import Played, play
from services.tester.suite import Scenario
from services.tester.talk import EngineTalk
from shared.bot.bot import compile_bot
from shared.bot.model import Bot
from shared.bot.source import read_bot
from shared.dialog.trace import TraceLine
from shared.understanding.local import understander_of
from shared.understanding.understander import Understander

T = TypeVar("T")
_CHUNK = 20
_WORTH_A_PROCESS = 400
"""Scenarios below this number are played sooner than another process has started."""


class Reached(msgspec.Struct, frozen=True, order=True):
    """Something a test has reached: `kind` is `interaction`, `rule` or `script`, `name` the rule's or the panel's."""

    kind: str
    interaction: str
    name: str = ""


class Outcome(msgspec.Struct, frozen=True):
    """What became of a scenario, and what it reached in which bot."""

    played: Played
    bot: Path
    manifest: Path | None
    reached: frozenset[Reached]


@lru_cache(maxsize=64)
def load(path: Path, manifest: Path | None) -> Bot:
    """Return a bot, compiled once in a process. Raises BotError."""
    return compile_bot(read_bot(path, manifest))


@lru_cache(maxsize=64)
def understander(path: Path, manifest: Path | None) -> Understander | None:
    """Return what understands a bot's texts by the phrases of its manifest, None when it has none."""
    return understander_of(load(path, manifest))


def processes(wanted: int, scenarios: int) -> int:
    """Return how many processes are worth while; `wanted` 0 leaves it to the number of cores and scenarios."""
    if wanted:
        return min(wanted, max(scenarios, 1))
    return max(1, min(os.cpu_count() or 1, scenarios // _WORTH_A_PROCESS))


def be_in_utc() -> None:
    """Let scripts live in UTC, as they do in turn processes."""
    os.putenv("TZ", "UTC")
    time.tzset()


def play_all(scenarios: Sequence[Scenario], jobs: int) -> Iterator[Outcome]:
    """Play scenarios as they come, in `jobs` processes. Their order is not kept."""
    return spread(play_one, scenarios, jobs, _CHUNK)


def spread(play: Callable[[Scenario], T], scenarios: Sequence[Scenario], jobs: int, chunk: int) -> Iterator[T]:
    """Do something with every scenario, `chunk` of them at a time in each of `jobs` processes."""
    be_in_utc()
    if jobs == 1:
        yield from map(play, scenarios)
        return
    chunks = [scenarios[at : at + chunk] for at in range(0, len(scenarios), chunk)]
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=be_in_utc) as pool:
        running: list[Future[list[T]]] = [pool.submit(_each, play, chunk) for chunk in chunks]
        try:
            for done in as_completed(running):
                yield from done.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _each(play: Callable[[Scenario], T], scenarios: Sequence[Scenario]) -> list[T]:
    return [play(scenario) for scenario in scenarios]


def play_one(scenario: Scenario) -> Outcome:
    """Play one scenario against the engine."""
    bot = load(scenario.bot, scenario.manifest)
    reached: set[Reached] = set()
    means = understander(scenario.bot, scenario.manifest)
    talk = EngineTalk(bot, scenario.setting, lambda lines: reached.update(reached_by(lines)), means)
    return Outcome(play(scenario, bot, talk), scenario.bot, scenario.manifest, frozenset(reached))


def reached_by(lines: list[TraceLine]) -> Iterator[Reached]:
    """Name what the trace of a turn shows as reached."""
    for line in lines:
        if line.code == "interaction":
            yield Reached("interaction", line.interaction)
        elif line.code == "rule":
            yield Reached("rule", line.interaction, line.note)
        elif line.code == "script":
            yield Reached("script", line.interaction, line.note)
