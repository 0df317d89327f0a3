"""The scenario files that hold in process hold against a running installation too."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from services.tester.batch import Outcome
from services.tester.installation import Installation
from services.tester.reading import find_files, read_suite
from services.tester.remote import Remote
from services.tester.suite import Scenario
from tests.journeys.system import botlane_run
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
HOSTS = (
    "https://5fc54a0936bc790016344a09.mockapi.io",
    "https://jservice.io",
    "https://api.openai.com",
    "http://127.0.0.1:8082",
)


class Place(NamedTuple):
    """An installation, and the port to which its calls are sent."""

    url: str
    port: int


@pytest.fixture(scope="module")
def installation(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    port = free_port()
    rewrites = [part for host in HOSTS for part in ("--rewrite-url", f"{host}=http://127.0.0.1:{port}")]
    bots = [*sorted(corpus.glob("*.json")), *sorted(ROOT.glob("examples/*/*.json"))]
    data = tmp_path_factory.mktemp("against") / "data"
    with botlane_run(data, bots, *rewrites, BOTLANE_CREATE_RATE="100000") as running:
        yield Place(running.url, port)


def scenarios(corpus: Path, *folders: str) -> list[Scenario]:
    environ = {"BOTLANE_CORPUS": str(corpus)}
    return [one for file in find_files(ROOT / folder for folder in folders) for one in read_suite(file, environ)]


def failures(outcomes: list[Outcome]) -> list[str]:
    found = [one.played.failure for one in outcomes]
    return [f"{one.place}: {one.sentence}\n{one.expected}\n---\n{one.heard}" for one in found if one]


@pytest.mark.proof
def test_the_scenarios_of_the_real_bots_and_of_the_examples_hold_over_http(corpus: Path, installation: Place) -> None:
    chosen = scenarios(corpus, "tests/scenarios", "examples")
    outcomes = list(Installation(installation.url, installation.port).play_all(chosen))
    assert failures(outcomes) == []
    skipped = {one.played.skipped for one in outcomes if one.played.skipped}
    assert skipped == {
        "the time of an installation cannot be advanced",
        "no server can make this failure happen: unreachable",
    }
    assert len(outcomes) == len(chosen)


def test_without_the_console_a_bot_has_finished_when_it_is_quiet(
    corpus: Path, installation: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def without(_: Remote) -> bool:
        return False

    monkeypatch.setattr(Remote, "has_console", without)
    chosen = scenarios(corpus, "tests/scenarios/top-level-key.test.yaml")
    assert chosen
    assert failures(list(Installation(installation.url, installation.port).play_all(chosen))) == []
