"""What is found in real bots: each finding stands, with its reason, in corpus_findings.toml."""

import tomllib
from pathlib import Path

import pytest

from services.check.report import check_bot
from shared.bot.source import read_bot

EXPECTED = tomllib.loads(Path(__file__).with_name("corpus_findings.toml").read_text())["finding"]
BOTS = sorted({one["bot"] for one in EXPECTED})


@pytest.mark.parametrize("bot", BOTS)
def test_a_real_bot_has_the_findings_that_are_justified(corpus: Path, bot: str) -> None:
    report = check_bot(read_bot(corpus / f"{bot}.json"))
    found = [(one.code, one.level, one.place) for one in report.findings]
    expected = [(one["code"], one["level"], one["place"]) for one in EXPECTED if one["bot"] == bot]
    assert sorted(found) == sorted(expected)


def test_every_real_bot_is_there(corpus: Path) -> None:
    assert sorted(path.stem for path in corpus.glob("*.json")) == BOTS


def test_every_finding_has_a_reason() -> None:
    assert all(len(one["why"].split()) > 4 for one in EXPECTED)
