"""Test files as texts, for the tests of their reader and player."""

from pathlib import Path
from textwrap import dedent

from services.tester.batch import Outcome, play_one
from services.tester.playing import Played
from services.tester.reading import read_suite
from services.tester.suite import Scenario

ORDERS = (Path(__file__).parents[3] / "examples/order-status/order-status.json").resolve()
FORMS = (Path(__file__).parents[3] / "examples/web-view/web-view.json").resolve()


def write(folder: Path, text: str, bot: Path = ORDERS, name: str = "one.test.yaml") -> Path:
    """Write a file that tests a bot; its own text begins in line 2."""
    path = folder / name
    path.write_text(f"bot: {bot}\n{dedent(text).lstrip()}", encoding="utf-8")
    return path


def scenarios(folder: Path, text: str, bot: Path = ORDERS) -> list[Scenario]:
    """Read the scenarios of a text."""
    return read_suite(write(folder, text, bot), {})


def outcome(folder: Path, steps: str, *, more: str = "", bot: Path = ORDERS) -> Outcome:
    """Play one test of some steps; `more` are other keys of it."""
    lines = ["tests:", "- test_case: one"]
    lines += [f"  {line}" for line in dedent(more).strip().splitlines()]
    lines += ["  steps:", *(f"  {line}" for line in dedent(steps).strip().splitlines())]
    return play_one(scenarios(folder, "\n".join(lines) + "\n", bot)[0])


def play(folder: Path, steps: str, *, more: str = "", bot: Path = ORDERS) -> Played:
    """Play one test, and say what became of it."""
    return outcome(folder, steps, more=more, bot=bot).played


def failure(folder: Path, steps: str, *, more: str = "", bot: Path = ORDERS) -> str:
    """Play one test that has to fail; return line and sentence."""
    played = play(folder, steps, more=more, bot=bot)
    assert played.failure is not None, "it passed"
    return f"{played.failure.place.line}: {played.failure.sentence}"
