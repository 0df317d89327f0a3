"""Exports gone wrong: each loads, or is refused with an error that names a place; those that load can be talked to."""

import re
import time
from collections import Counter
from pathlib import Path

import pytest

from services.check.report import as_json, check_bot
from shared.bot.bot import compile_bot
from shared.bot.errors import BotError
from shared.bot.model import Bot
from shared.bot.source import BotSource
from shared.scripting.limits import Limits
from tests.proofs.consumers import RandomConsumer
from tests.proofs.form import LONG, SEED, Record, again, chunks, fail, record_figures
from tests.proofs.mutations import Mutated, mutated

# Bounds in seconds of CPU: of loading, of a turn with up to ten expressions that are stopped, and of its scripts.
LOADS_WITHIN = 3.0
TURN_WITHIN = 3.0
LIMITS = Limits(script_seconds=0.05, turn_seconds=0.2)
TURNS = 8
TALKS_WITH = 1 if SEED else 3
pytestmark = [pytest.mark.proof, pytest.mark.timeout(1800, method="thread")]


@pytest.fixture(scope="module")
def exports(corpus: Path) -> dict[str, bytes]:
    """The exports of the corpus, by name."""
    return {file.stem: file.read_bytes() for file in sorted(corpus.glob("*.json"))}


@pytest.mark.parametrize("seeds", chunks(10_000 if LONG else 3_000, 500), ids=lambda seeds: f"from {seeds.start}")
def test_a_mutated_export_loads_or_is_refused_by_name_of_a_place(
    exports: dict[str, bytes], seeds: range, record_property: Record
) -> None:
    counts: Counter[str] = Counter()
    slowest = {"loading": 0.0, "checking": 0.0, "turn": 0.0}
    failures: list[str] = []
    for seed in seeds:
        made = mutated(exports, seed)
        started = time.process_time()
        try:
            bot = _loaded(made, counts)
            seconds = time.process_time() - started
            assert seconds < LOADS_WITHIN, f"loading took {seconds:.1f} s of CPU"
            slowest["loading"] = max(slowest["loading"], seconds)
            if bot is not None and seed % TALKS_WITH == 1 % TALKS_WITH:
                slowest["checking"] = max(slowest["checking"], _check(made))
            if bot is not None and seed % TALKS_WITH == 0:
                slowest["turn"] = max(slowest["turn"], _talk(bot, seed, counts))
        except Exception as error:  # noqa: BLE001 whatever it is, it must not happen
            failures.append(
                f"{type(error).__name__}: {str(error)[:300]}\n  {', '.join(made.kinds)} on {made.bot}: {again(seed, __file__)}"
            )
    fail(failures)
    record_figures(record_property, "mutated exports", counts, slowest)
    assert SEED or counts["loaded"] >= 0.3 * len(seeds)


def _loaded(made: Mutated, counts: Counter[str]) -> Bot | None:
    """Load an export; None when it is refused as it should be."""
    try:
        bot = compile_bot(BotSource(made.content, file="bot.json"))
    except BotError as error:
        named = error.place.strip() and str(error).startswith(f"bot.json: {error.place}: ")
        if not named and made.content.strip():  # an empty file has no place
            raise AssertionError(f"no place is named: {error}") from error
        problem = re.sub(r"'[^']*'|\d+", "…", error.problem)[:60]
        counts[f"refused: {problem}"] += 1
        return None
    counts["loaded"] += 1
    counts["loaded with findings"] += bool(bot.findings)
    return bot


def _check(made: Mutated) -> float:
    """Let `botlane check` look at an export that loads; return how long it took."""
    started = time.process_time()
    as_json(check_bot(BotSource(made.content, file="bot.json")))
    seconds = time.process_time() - started
    assert seconds < LOADS_WITHIN, f"checking took {seconds:.1f} s of CPU"
    return seconds


def _talk(bot: Bot, seed: int, counts: Counter[str]) -> float:
    """Let a consumer talk to a bot; return the slowest turn."""
    consumer = RandomConsumer(bot, seed, twice=0.2, limits=LIMITS, within=TURN_WITHIN)
    for _ in range(TURNS):
        consumer.act()
        counts["turns"] += 1
    counts["talked to"] += 1
    return consumer.slowest
