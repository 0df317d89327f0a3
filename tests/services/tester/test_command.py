"""`botlane test`, from files to what it prints, writes and returns."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from services.cli.ending import run_command

BOT = Path(__file__).parents[3] / "examples/order-status/order-status.json"
PASSES = (
    "  - {test_case: greets, steps: [{user: hi}, {bot: {interaction: welcome_text}}, {bot: {interaction: ask_number}}]}"
)
FAILS = "  - {test_case: lies, steps: [{user: hi}, {bot: 'Good <evening> & more'}]}"


@pytest.fixture
def passing(tmp_path: Path) -> Path:
    """A folder with a file whose two tests pass."""
    folder = tmp_path / "passing"
    folder.mkdir()
    again = PASSES.replace("greets", "greets again")
    (folder / "b.test.yaml").write_text(f"bot: {BOT}\ntests:\n{PASSES}\n{again}\n")
    return folder


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.test.yaml"
    path.write_text(f"bot: {BOT}\ntests:\n{PASSES}\n{FAILS}\n")
    return path


def test_tests_that_pass_are_counted_and_their_rate_is_printed(
    passing: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["test", str(passing)]) == 0
    said = capsys.readouterr().out
    assert "2 passed: 6 steps in" in said
    assert "steps a second." in said


def test_a_failure_shows_place_expectation_and_what_was_heard(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["test", str(file)]) == 1
    said = capsys.readouterr().out
    assert "✗ lies" in said
    assert "a.test.yaml:4: the bot says something else" in said.replace("\n", "")
    assert "1 passed, 1 failed: 5 steps" in said


def test_tests_are_chosen_by_a_pattern(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["test", str(file), "-k", "GREET"]) == 0
    assert "1 passed: 3 steps" in capsys.readouterr().out
    assert run_command(["test", str(file), "-k", "nowhere"]) == 2
    assert run_command(["test", str(file), "-k", "["]) == 2


def test_several_processes_say_the_same_as_one(file: Path, passing: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["test", str(file), str(passing), "-j", "2"]) == 1
    assert "3 passed, 1 failed: 11 steps" in capsys.readouterr().out


def test_junit_has_a_suite_for_each_file_and_a_case_for_each_test(file: Path, passing: Path, tmp_path: Path) -> None:
    target = tmp_path / "junit.xml"
    assert run_command(["test", str(file), str(passing), "--junit", str(target)]) == 1
    root = ET.parse(target).getroot()
    assert (root.get("tests"), root.get("failures")) == ("4", "1")
    assert len(root.findall("testsuite")) == 2
    failure = root.find("testsuite/testcase/failure")
    assert failure is not None
    assert "Good <evening> & more" in (failure.text or "")


def test_a_file_that_cannot_be_used_ends_the_command_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.test.yaml"
    path.write_text("bot: gone.json\ntests: [{test_case: a, steps: [{user: hi}]}]")
    assert run_command(["test", str(path)]) == 2
    assert "gone.json: there is no such file" in capsys.readouterr().err
    path.write_text(f"bot: {BOT}\ntests: [{{test_case: a, step: []}}]")
    assert run_command(["test", str(path)]) == 2
    assert "a.test.yaml:2: a test has no key 'step'. Did you mean 'steps'?" in capsys.readouterr().err


def test_coverage_lists_what_is_never_reached_and_draws_it(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["test", str(file), "-k", "greets", "--coverage", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "reached 4 of 14 interactions" in said
    assert "never: rule ask_number / no number" in said
    page = (tmp_path / "out/index.html").read_text()
    assert page.count("<svg role") == 3
    assert "<script" not in page
    assert "http://" not in page
    assert 'class="reached"' in page
    assert 'class="missed"' in page
