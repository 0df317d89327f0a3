"""`botlane test --chaos`, from files to what it prints, writes and returns."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from services.cli.ending import run_command
from tests.unit.dialog.bots import api, call, dialog, export, go, integration, starter, text

TESTS = """bot: bot.json
tests:
- test_case: greets
  stubs: {Store: {json: {name: North}}}
  steps: [{user: hi}, {bot: done}]
- test_case: greets again
  stubs: {Store: {json: {name: South}}}
  steps: [{user: hi}, {bot: done}]
"""


def written(folder: Path, after_failure: str, tests: str = TESTS) -> Path:
    rules = go(after_failure, when=api("FAILURE")), go("done")
    made = dialog("D", starter("hi"), call("ask store", "Store", *rules), text("done", then="none"), text("sorry"))
    folder.mkdir()
    (folder / "bot.json").write_text(json.dumps(export(made, integrations=(integration("Store"),))))
    (folder / "bot.test.yaml").write_text(tests)
    return folder


@pytest.fixture
def silent(tmp_path: Path) -> Path:
    """Tests of a bot that says nothing when its service fails."""
    return written(tmp_path / "silent", "none")


@pytest.fixture
def polite(tmp_path: Path) -> Path:
    """Tests of a bot that says so when its service fails."""
    return written(tmp_path / "polite", "sorry")


def test_it_says_for_each_integration_what_each_fault_does(silent: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["test", "--chaos", str(silent)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "bot.json: Store"
    at = lines.index("  ✗ 500: the service answers 500")
    assert lines[at + 1 : at + 3] == [
        "      hangs: ask store is followed by nothing although an answer is due",
        "        bot.test.yaml:5, bot.test.yaml:8",
    ]
    assert "  ✓ slow, truncated, html, empty, null-fields, no-fields, other-type" in lines
    assert lines[-1].startswith("12 findings: 2 tests under 26 faults, 26 steps in ")


def test_a_bot_that_always_answers_is_clean(polite: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["test", "--chaos", str(polite)]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("no findings: 2 tests under 26 faults")


def test_several_processes_find_the_same_as_one(silent: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["test", "--chaos", str(silent), "--json"]) == 1
    alone = capsys.readouterr().out
    assert run_command(["test", "--chaos", str(silent), "--json", "-j", "2"]) == 1
    assert capsys.readouterr().out == alone


def test_the_json_form_has_every_finding_with_its_place(silent: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["test", "--chaos", str(silent), "--json", "-k", "again"]) == 1
    told = json.loads(capsys.readouterr().out)
    [store] = told["integrations"]
    fault = next(one for one in store["faults"] if one["fault"] == "lost")
    [finding] = fault["findings"]
    assert (told["findings"], store["integration"], fault["tried"]) == (6, "Store", 1)
    assert (finding["kind"], finding["test"], finding["line"], finding["heard"]) == ("hangs", "greets again", 8, [])


def test_junit_has_a_case_for_each_fault_of_each_test(silent: Path, tmp_path: Path) -> None:
    target = tmp_path / "junit.xml"
    assert run_command(["test", "--chaos", str(silent), "--junit", str(target)]) == 1
    root = ET.parse(target).getroot()
    assert (root.get("tests"), root.get("failures")) == ("26", "12")
    cases = [case.get("name") for case in root.iter("testcase")]
    assert "greets [Store too-slow]" in cases


def test_a_test_that_fails_without_any_fault_is_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = written(tmp_path / "broken", "sorry", TESTS.replace("{bot: done}]\n-", "{bot: gone}]\n-"))
    assert run_command(["test", "--chaos", str(folder)]) == 1
    said = capsys.readouterr().out
    assert said.startswith("✗ greets fails without any fault\n")
    assert "bot.test.yaml:5: the bot says something else" in said
    assert "1 finding: " in said


def test_tests_without_calls_have_nothing_to_break(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = written(tmp_path / "plain", "sorry", "bot: bot.json\ntests: [{test_case: a, steps: [{user: hello}]}]")
    assert run_command(["test", "--chaos", str(folder)]) == 0
    said = capsys.readouterr().out
    assert "- bot.json: Store is called by no test\n" in said
    assert "there is nothing to break" in said


@pytest.mark.parametrize(
    "options", [["--json"], ["--chaos", "--against", "http://x"], ["--chaos", "--coverage", "x"]], ids=" ".join
)
def test_options_that_do_not_go_together_are_refused(options: list[str], polite: Path) -> None:
    assert run_command(["test", str(polite), *options]) == 2
