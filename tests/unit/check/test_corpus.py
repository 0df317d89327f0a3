"""What is found in real bots: each finding stands, with its reason, in corpus_findings.toml."""

import tomllib
from pathlib import Path

import pytest

from services.check.report import check_bot
from shared.bot.source import read_bot

EXPECTED = tomllib.loads(Path(__file__).with_name("corpus_findings.toml").read_text())["finding"]
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


@pytest.mark.parametrize("bot", BOTS)
def test_a_real_bot_has_the_findings_that_are_justified(corpus: Path, bot: str) -> None:
    report = check_bot(read_bot(corpus / f"{bot}.json"))
    found = [(one.code, one.level, one.place) for one in report.findings]
    expected = [(one["code"], one["level"], one["place"]) for one in EXPECTED if one["bot"] == bot]
    assert sorted(found) == sorted(expected)


def test_every_justified_finding_is_of_a_known_bot_and_has_a_reason() -> None:
    assert {one["bot"] for one in EXPECTED} <= set(BOTS)
    assert all(len(one["why"].split()) > 4 for one in EXPECTED)
