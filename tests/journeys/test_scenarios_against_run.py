"""The scenario files that hold in process hold against a running installation too."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from services.tester.batch import Outcome
from services.tester.installation import Installation
from services.tester.reading import find_files, read_suite
from services.tester.remote import Remote
from services.tester.suite import Scenario
from tests.journeys.browser.form_pages import SAFE, form_bot
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
    """An installation, the port to which its calls are sent, and its bot in safe mode."""

    url: str
    port: int
    safe: Path


@pytest.fixture(scope="module")
def installation(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    port = free_port()
    rewrites = [part for host in HOSTS for part in ("--rewrite-url", f"{host}=http://127.0.0.1:{port}")]
    bots = [*sorted(corpus.glob("*.json")), *sorted(ROOT.glob("examples/*/*.json"))]
    folder = tmp_path_factory.mktemp("against")
    safe = folder / "safe-forms.json"
    safe.write_text(json.dumps(form_bot("safe-forms", "https://forms.example")))
    safe.with_suffix(".botlane.toml").write_text(SAFE)
    data = folder / "data"
    with botlane_run(data, [*bots, safe], *rewrites, BOTLANE_CREATE_RATE="100000") as running:
        yield Place(running.url, port, safe)


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


FORMS = """
bot: {bot}
tests:
- test_case: the token that was shown
  steps:
  - user: once
  - bot: {{contains: "#webview="}}
  - web_view: {{variables: {{size: L}}, message: form sent}}
  - bot: size L, extras null, admin null
  - web_view: {{variables: {{size: M}}, message: form sent, refused: true}}
- test_case: a variable that it is not for
  steps:
  - user: form
  - bot: {{contains: "#webview="}}
  - web_view: {{variables: {{size: L, admin: "yes"}}, message: form sent}}
- test_case: no token
  steps:
  - web_view: {{variables: {{size: L}}, message: form sent}}
"""


def test_a_form_in_safe_mode_posts_with_the_token_that_its_page_would_have(installation: Place, tmp_path: Path) -> None:
    file = tmp_path / "forms.test.yaml"
    file.write_text(FORMS.format(bot=installation.safe))
    played = [one.played for one in Installation(installation.url, 0).play_all(read_suite(file, {}))]
    said = [one.failure.sentence if one.failure else "" for one in played]
    assert said[0] == ""
    assert "not all variables of the form were taken: the token is not for this name" in said[1]
    assert "showed no token" in said[2]
    assert "getWebViewToken" in said[2]
