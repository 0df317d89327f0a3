"""How commands end when their output goes nowhere, when a file cannot be written, and when somebody presses Ctrl-C."""

import contextlib
import signal
import sys
import threading
from pathlib import Path
from typing import TextIO

import pytest

from services.cli import screens
from services.cli.app import COMMANDS
from services.cli.ctrl_c import ended_by_ctrl_c
from services.cli.ending import run_command
from shared.store.connection import RedisUnreachable

EXAMPLE = Path(__file__).parents[3] / "examples/order-status"
BOT, TESTS = str(EXAMPLE / "order-status.json"), str(EXAMPLE / "order-status.test.yaml")


def _close(*outputs: TextIO) -> None:
    for output in outputs:
        with contextlib.suppress(OSError):
            output.close()


def test_ctrl_c_ends_an_import_at_once_and_is_an_exception_again_afterwards() -> None:
    before = signal.getsignal(signal.SIGINT)
    with ended_by_ctrl_c():
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) is before


def test_in_another_thread_signals_are_left_alone() -> None:
    seen = []

    def look() -> None:
        with ended_by_ctrl_c():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGINT)]


@pytest.mark.parametrize("words", [["--version"], ["check", BOT], ["test", TESTS, "-k", "never"]])
def test_a_command_whose_output_is_closed_does_its_work(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert run_command(words) == (2 if "never" in words else 0)
    _close(sys.stdout, sys.stderr)


@pytest.mark.parametrize("words", [["--version"], ["check", BOT], ["test", TESTS]])
def test_a_disk_without_room_for_the_output_is_told(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    full = Path("/dev/full").open("w")  # noqa: SIM115 - closing it fails, as writing does
    monkeypatch.setattr(sys, "stdout", full)
    assert run_command(words) == 1
    _close(full, sys.stdout)
    monkeypatch.undo()
    assert capsys.readouterr().err.startswith("botlane: no more can be written (No space left on device)")


@pytest.mark.parametrize(
    "words",
    [
        ["test", TESTS, "--junit", "FOLDER/gone/x.xml"],
        ["test", TESTS, "-k", "again", "--coverage", "FOLDER/file/x"],
        ["test", BOT, "--record", "FOLDER/gone/x.yaml", "--conversation", "0-1"],
        ["verify", "--json", "FOLDER/gone/x.json"],
        ["verify", "--write-bot", "FOLDER/file/x"],
    ],
    ids=lambda words: f"{words[0]} {next(word for word in words[1:] if word.startswith('--'))}",
)
def test_a_file_that_cannot_be_written_is_named(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert run_command([word.replace("FOLDER", str(tmp_path)) for word in words]) == 2
    said = capsys.readouterr().err
    assert said.startswith("botlane: --")
    assert f"{tmp_path}/" in said
    assert "another path" in said or "you may write to" in said


@pytest.mark.parametrize("command", ["", "'open"])
def test_a_command_beside_that_is_none_is_wrong_use(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["run", BOT, "--beside", command]) == 2
    assert "Invalid value for --beside" in capsys.readouterr().err


NO_HOST = f"http://{'x' * 64}"
LONG = "x" * 5000


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["test", LONG], "xxxxx: File name too long. Give another path."),
        (["test", TESTS, "-k", "again", "--against", NO_HOST], "start it, or give another address"),
        (["run", BOT, "--host", "x" * 64], "is no name of a host: choose another with --host"),
        (["run", BOT, "--redis", "redis://:hunter2@host:port"], "--redis cannot be used: give it a redis://"),
        (["bots", "--redis", "redis://:hunter2@host:port"], "--redis cannot be used: give it a redis://"),
        (["call", BOT, "Orders", "--set", "orderNumber=\udcff"], "it is not UTF-8 text"),
        (["verify", "--seconds", "inf"], "Invalid value for '--seconds'"),
        (["verify", "--seconds", "nan"], "--seconds nan cannot be used"),
    ],
    ids=lambda part: part[0] if isinstance(part, list) else "",
)
def test_what_no_name_or_number_can_be_is_wrong_use(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command([*words, *(["--data", str(tmp_path)] if words[0] == "run" else [])]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "hunter2" not in told
    assert len(told) < 500


def test_a_gateway_whose_name_no_host_can_have_does_not_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["verify", "--url", NO_HOST]) == 3
    assert "No installation answers at" in capsys.readouterr().err


def test_help_has_every_command_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines if line[2:].split(" ")[0] in COMMANDS] == list(COMMANDS)
    assert max(map(len, lines)) <= 80


def test_what_is_watched_without_a_terminal_is_printed_screen_by_screen(
    valkey_server: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(screens, "EVERY_SECONDS", 0)
    left = [1, 2]

    async def read(_: object) -> int:
        if not left:
            raise RedisUnreachable("gone")
        return left.pop(0)

    with pytest.raises(RedisUnreachable):
        screens.show(valkey_server, read, lambda n: f"screen {n}", lambda n: f"title {n}", watch=True, as_json=False)
    assert capsys.readouterr().out == "\ntitle 1\n\nscreen 1\n\ntitle 2\n\nscreen 2\n"
