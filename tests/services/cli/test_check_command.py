"""`botlane check` as it is typed."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.services.cli.typed import typed
from tests.unit.dialog.bots import Part, dialog, export, starter, text

ROOT = Path(__file__).parents[3]
GOOD = dialog("Shop", starter("hi"), text("hello"))
DOUBTFUL = dialog("Shop", starter("hi"), text("hello", "{$botContext.nothing}"))
BAD = dialog("Shop", starter("hi"), text("hello", pre="var = 1"))


def check(*arguments: object) -> subprocess.CompletedProcess[str]:
    return typed("check", *arguments)


def written(folder: Path, name: str, *dialogs: Part) -> Path:
    path = folder / name
    path.write_text(json.dumps(export(*dialogs)))
    return path


@pytest.mark.parametrize(("made", "code"), [(GOOD, 0), (DOUBTFUL, 0), (BAD, 1)], ids=["good", "doubtful", "bad"])
def test_the_exit_code_is_1_when_there_are_errors(made: Part, code: int, tmp_path: Path) -> None:
    ended = check(written(tmp_path, "bot.json", made))
    assert (ended.returncode, ended.stderr) == (code, "")


def test_a_pipe_gets_plain_text_with_the_place_of_each_finding(tmp_path: Path) -> None:
    path = written(tmp_path, "bot.json", BAD)
    lines = check(path).stdout.splitlines()
    assert lines[:3] == [f"{path}: Test bot, 1 error", "", "Shop"]
    assert lines[3] == "  error    script-syntax  hello / Pre-Process Code 1:5"


def test_the_json_form_is_one_line_a_bot(tmp_path: Path) -> None:
    ended = check(written(tmp_path, "a.json", BAD), written(tmp_path, "b.json", DOUBTFUL), "--format", "json")
    first, second = (json.loads(line) for line in ended.stdout.splitlines())
    assert (ended.returncode, first["errors"], second["errors"], second["warnings"]) == (1, 1, 0, 1)


def test_a_file_that_cannot_be_loaded_exits_2_and_the_others_are_checked(tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    ended = check(broken, written(tmp_path, "bot.json", BAD))
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"botlane: {broken}: ")
    assert "script-syntax" in ended.stdout


def test_the_manifest_beside_the_bot_or_the_one_given_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, "bot.json", dialog("Shop", starter("hi"), text("hello", "{$env.store}")))
    assert check(path).returncode == 1
    (tmp_path / "other.toml").write_text('[environment]\nstore = "x"')
    assert check(path, "--manifest", tmp_path / "other.toml").returncode == 0
    (tmp_path / "other.toml").rename(tmp_path / "bot.botlane.toml")
    assert check(path).returncode == 0


def test_a_manifest_for_two_bots_is_refused(tmp_path: Path) -> None:
    ended = check("a.json", "b.json", "--manifest", "m.toml")
    assert ended.returncode == 2
    assert "--manifest goes with one bot" in ended.stderr


@pytest.mark.parametrize(
    ("made", "said"), [(GOOD, ""), (DOUBTFUL, "1 warning; to see them: botlane check ")], ids=["good", "doubtful"]
)
def test_run_says_in_one_line_how_much_there_is_to_mend(made: Part, said: str, tmp_path: Path) -> None:
    path = written(tmp_path, "bot.json", made)
    ended = typed("run", path, "--redis", f"redis://127.0.0.1:{free_port()}", "--data", tmp_path / "data")
    assert ended.returncode == 3
    first = ended.stderr.splitlines()[0]
    assert first == f"{path}: {said}{path}" if said else first.startswith("botlane: ")


@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*/*.json")), ids=lambda path: path.stem)
def test_the_examples_have_nothing_to_mend(example: Path) -> None:
    assert check(example).stdout.splitlines() == [
        f"{example}: {json.loads(example.read_text())['bot']['name']}, no findings",
        "",
    ]
