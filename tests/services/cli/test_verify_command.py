"""`botlane verify`: its options, and how it ends when there is nothing to verify."""

from pathlib import Path

import pytest

from shared.bot.bot import compile_bot
from shared.bot.source import read_bot
from tests.ports import free_port
from tests.services.cli.test_commands import botlane


def test_the_bot_of_the_load_is_written_with_a_manifest_that_names_the_api(tmp_path: Path) -> None:
    ended = botlane("verify", "--write-bot", str(tmp_path / "load"), "--api-port", "9123")
    assert ended.returncode == 0, ended.stderr
    file = tmp_path / "load/botlane-verify.json"
    assert str(file) in ended.stdout
    bot = compile_bot(read_bot(file, None))
    assert bot.id == "botlane-verify"
    assert bot.environment == {"api": "http://127.0.0.1:9123"}
    assert botlane("check", str(file)).returncode == 0


def test_an_installation_that_does_not_answer_exits_3_and_is_named() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    ended = botlane("verify", "--url", url, "--api-port", str(free_port()))
    assert ended.returncode == 3
    assert ended.stderr == f"botlane: No installation answers at {url}: start it, or give another address.\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--url", "http://127.0.0.1:1", "--kill"), "leave out --url"),
        (("--url", "127.0.0.1:1"), "give it an http or https address"),
        (("--url", "http://[::1"), "give it an http or https address"),
        (("--strike", "pause"), "give --kill as well"),
        (("--kill", "--strike", "coffee machine"), "--strike"),
        (("--conversations", "0"), "--conversations"),
        (("--events", "401"), "--events"),
    ],
)
def test_wrong_use_exits_2_and_says_what_to_mend(options: tuple[str, ...], said: str) -> None:
    ended = botlane("verify", *options)
    assert ended.returncode == 2
    assert said in ended.stderr
