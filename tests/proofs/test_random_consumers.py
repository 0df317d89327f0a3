"""Consumers who say anything, with every bot of the corpus: no turn fails, loops, or passes its limits."""

import time
from collections import Counter
from pathlib import Path

import pytest

from shared.bot.bot import compile_bot
from shared.bot.source import read_bot
from tests.proofs.consumers import RandomConsumer
from tests.proofs.form import LONG, SEED, Record, again, chunks, fail, record_figures

BOTS = (
    "dynamic-buttons",
    "get-bot-patterns",
    "go-back",
    "gpt3-character",
    "instagram-starter",
    "qr-sms",
    "text-only-results",
    "top-level-key",
    "universal-tile-demo",
)
TURNS = 25
CONVERSATIONS = (10_000 if LONG else 3_000) // TURNS
pytestmark = [pytest.mark.proof, pytest.mark.timeout(1800, method="thread")]


@pytest.mark.parametrize("seeds", chunks(CONVERSATIONS, 200), ids=lambda seeds: f"from {seeds.start}")
@pytest.mark.parametrize("name", [name for name in BOTS if SEED.partition(":")[0] in {"", name}])
def test_a_bot_bears_consumers_who_say_anything(corpus: Path, name: str, seeds: range, record_property: Record) -> None:
    bot = compile_bot(read_bot(corpus / f"{name}.json"))
    counts: Counter[str] = Counter()
    slowest = {"turn": 0.0}
    failures: list[str] = []
    started = time.process_time()
    for seed in seeds:
        consumer = RandomConsumer(bot, seed)
        try:
            for _ in range(TURNS):
                consumer.act()
                counts["turns"] += 1
                counts["with a call"] += consumer.call is not None
                counts["transferred or closed"] += consumer.conversation.status != "open"
            slowest["turn"] = max(slowest["turn"], consumer.slowest)
        except Exception as error:  # noqa: BLE001 whatever it is, it must not happen
            failures.append(f"{type(error).__name__}: {str(error)[:300]}\n  {again(f'{name}:{seed}', __file__)}")
    fail(failures)
    counts["ms of CPU"] = round((time.process_time() - started) * 1000)
    record_figures(record_property, f"random consumers of {name}", counts, slowest)
