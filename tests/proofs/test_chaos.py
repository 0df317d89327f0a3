"""The scenarios of the nine real bots and of the examples, under every fault of every service they call.

What is found in the real bots is theirs: it is written down here so that a change of the engine that makes consumers
suffer more, or of the search that makes it see less, is noticed.
"""

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from services.tester.batch import be_in_utc
from services.tester.chaos import Shaken, shake
from services.tester.reading import find_files, read_suite

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.proof
WITHOUT_CONTENT = "truncated html empty no-fields other-type"
FOUND: dict[str, dict[str, str]] = {
    "dynamic-buttons": {"hangs": WITHOUT_CONTENT},
    "gpt3-character": {"hangs": f"{WITHOUT_CONTENT} text-for-objects empty-lists null-fields"},
    "text-only-results": {"raw": "text-for-objects null-fields"},
    "top-level-key": {"unanswered": "empty-lists no-fields"},
}


def shaken(file: Path, corpus: Path) -> list[Shaken]:
    be_in_utc()
    return [shake(scenario) for scenario in read_suite(file, {"BOTLANE_CORPUS": str(corpus)})]


def found(ended: list[Shaken]) -> dict[str, set[str]]:
    """Return the faults by the kind of finding."""
    kinds: dict[str, set[str]] = defaultdict(set)
    for one in ended:
        assert one.broken == ""
        for trial in one.trials:
            for finding in trial.findings:
                kinds[finding.kind].add(trial.fault)
    return dict(kinds)


def tell(record: Callable[[str, object], None], ended: list[Shaken]) -> None:
    trials = [trial for one in ended for trial in one.trials]
    counts = {"faults": len(trials), "steps": sum(trial.steps for trial in trials)}
    record("figures", {"title": "services at fault", "counts": counts, "slowest": {}})


@pytest.mark.parametrize("file", find_files([ROOT / "tests/scenarios"]), ids=lambda file: file.name)
def test_consumers_of_real_bots_suffer_what_is_known_and_no_more(
    file: Path, corpus: Path, record_property: Callable[[str, object], None]
) -> None:
    ended = shaken(file, corpus)
    tell(record_property, ended)
    known = FOUND.get(file.name.removesuffix(".test.yaml"), {})
    assert found(ended) == {kind: set(faults.split()) for kind, faults in known.items()}


@pytest.mark.parametrize("file", find_files([ROOT / "examples"]), ids=lambda file: file.name)
def test_consumers_of_the_examples_are_always_answered(
    file: Path, corpus: Path, record_property: Callable[[str, object], None]
) -> None:
    ended = shaken(file, corpus)
    tell(record_property, ended)
    assert found(ended) == {}
