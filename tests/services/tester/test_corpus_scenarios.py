"""The scenario files of the nine real bots and of the examples, played in this process."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from services.tester.batch import Outcome, play_one
from services.tester.coverage import measure
from services.tester.reading import find_files, read_suite

ROOT = Path(__file__).parents[3]
CORPUS = find_files([ROOT / "tests/scenarios"])
EXAMPLES = find_files([ROOT / "examples"])
UNREACHABLE: dict[str, list[dict[str, Any]]] = yaml.safe_load((ROOT / "tests/scenarios/unreachable.yaml").read_text())


def played(file: Path, corpus: Path | None = None) -> list[Outcome]:
    return [play_one(scenario) for scenario in read_suite(file, {"BOTLANE_CORPUS": str(corpus)})]


def failures(outcomes: list[Outcome]) -> list[str]:
    found = [one.played.failure for one in outcomes]
    return [f"{one.place}: {one.sentence}\n{one.expected}\n---\n{one.heard}" for one in found if one]


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: file.name)
def test_a_real_bot_keeps_its_word_and_every_reachable_part_of_it_is_reached(file: Path, corpus: Path) -> None:
    outcomes = played(file, corpus)
    assert failures(outcomes) == []
    listed = [name for group in UNREACHABLE.get(file.name.removesuffix(".test.yaml"), []) for name in group["names"]]
    assert sorted(one.interaction for found in measure(outcomes) for one in found.missed) == sorted(listed)


def test_every_real_bot_has_a_scenario_file(corpus: Path) -> None:
    assert [file.name.removesuffix(".test.yaml") for file in CORPUS] == sorted(
        one.stem for one in corpus.glob("*.json")
    )


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_an_example_keeps_its_word_and_all_of_it_is_reached(file: Path) -> None:
    outcomes = played(file)
    assert failures(outcomes) == []
    assert [one for found in measure(outcomes) for one in found.missed] == []
