import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from services.cli.failure import CommandFailed
from services.cli.listening import free_port as port_of_run
from services.cli.listening import is_loopback, refuse_used_port
from services.cli.settings_help import DOCUMENT, document
from services.settings import SETTINGS
from tests.ports import free_port
from tests.services.cli.typed import typed

ROOT = Path(__file__).parents[3]


def botlane(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return typed(*arguments, variables=variables)


def copied(corpus: Path, name: str, folder: Path) -> Path:
    copy = folder / f"{name}.json"
    copy.write_bytes((corpus / f"{name}.json").read_bytes())
    return copy


@pytest.fixture
def ready_program() -> Iterator[str]:
    """The address of something that answers 200 to /readyz."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/readyz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def test_help_lists_every_setting_with_its_default() -> None:
    text = botlane("gateway", "--help").stdout
    for setting in SETTINGS:
        assert setting.variable in text
    assert "BOTLANE_PORT=8080" in text


def test_the_page_about_settings_says_what_the_table_says() -> None:
    assert (ROOT / DOCUMENT).read_text() == document(), f"write it anew: make {DOCUMENT}"


def test_the_version_is_told() -> None:
    assert botlane("--version").stdout == "botlane 0.1.0\n"


def test_an_unknown_command_is_wrong_use() -> None:
    ended = botlane("fly")
    assert ended.returncode == 2
    assert "No such command 'fly'" in ended.stderr


@pytest.mark.parametrize("program", ["gateway", "dialog-worker", "integration-worker"])
def test_check_says_whether_the_program_is_ready(program: str, ready_program: str) -> None:
    assert botlane(program, "--check", BOTLANE_OPS=ready_program).returncode == 0


@pytest.mark.parametrize("program", ["gateway", "dialog-worker", "integration-worker"])
def test_check_of_a_program_that_does_not_run_is_1(program: str, valkey_server: str) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    ended = botlane(program, "--check", BOTLANE_OPS=nobody, BOTLANE_REDIS_URL=valkey_server)
    assert ended.returncode == 1
    assert ended.stderr == (
        f"{program}: not ready: nothing answers at http://{nobody}/readyz: start it, or give its address in BOTLANE_OPS.\n"
    )


def test_a_wrong_setting_is_named_and_exits_2() -> None:
    ended = botlane("gateway", BOTLANE_PORT="http")
    assert (ended.returncode, ended.stderr) == (
        2,
        "botlane: BOTLANE_PORT is 'http', which cannot be used: give it a whole number from 0 to 65535.\n",
    )


def test_bots_without_redis_exits_3_and_names_the_address_without_its_password() -> None:
    url = f"redis://user:hunter2@127.0.0.1:{free_port()}/0"
    ended = botlane("bots", BOTLANE_REDIS_URL=url)
    assert ended.returncode == 3
    assert "No Redis answers at redis://127.0.0.1:" in ended.stderr
    assert "hunter2" not in ended.stderr
    assert "found with --data" in ended.stderr


def test_a_server_that_was_given_as_an_option_is_not_said_to_be_a_setting() -> None:
    ended = botlane("bots", "--redis", f"redis://127.0.0.1:{free_port()}/0")
    assert ended.returncode == 3
    assert "start it, or mend --redis." in ended.stderr
    assert "BOTLANE_REDIS_URL" not in ended.stderr


def test_run_lists_no_settings_that_it_chooses_itself() -> None:
    of_run, of_gateway = botlane("run", "--help").stdout, botlane("gateway", "--help").stdout
    for variable in ("BOTLANE_REDIS_URL", "BOTLANE_OPS", "BOTLANE_CONSOLE=", "BOTLANE_KEYLESS", "BOTLANE_TRACE_TTL"):
        assert variable not in of_run
        assert variable in of_gateway
    assert "BOTLANE_CORS_ORIGINS" in of_run


@pytest.mark.parametrize("program", ["gateway", "dialog-worker", "integration-worker"])
def test_a_program_without_redis_exits_3(program: str) -> None:
    url = f"redis://127.0.0.1:{free_port()}/0"
    ended = botlane(program, BOTLANE_REDIS_URL=url, BOTLANE_SECRET="s" * 32, BOTLANE_OPS="127.0.0.1:0")
    assert ended.returncode == 3
    assert "No Redis answers at redis://127.0.0.1:" in ended.stderr


def test_the_gateway_does_not_start_without_a_secret() -> None:
    ended = botlane("gateway")
    assert ended.returncode == 2
    assert "BOTLANE_SECRET" in ended.stderr


def test_deployed_bots_are_listed(corpus: Path, valkey_server: str) -> None:
    export = corpus / "go-back.json"
    deployed = botlane("deploy", str(export), BOTLANE_REDIS_URL=valkey_server)
    assert deployed.returncode == 0, deployed.stderr
    assert deployed.stderr == f"{export}: 1 warning; to see them: botlane check {export}\n"
    assert deployed.stdout in botlane("bots", BOTLANE_REDIS_URL=valkey_server).stdout


@pytest.mark.parametrize("command", ["deploy", "run"])
def test_two_files_with_one_bot_are_refused(command: str, corpus: Path, tmp_path: Path) -> None:
    first, second = copied(corpus, "go-back", tmp_path), tmp_path / "again.json"
    second.write_bytes(first.read_bytes())
    ended = botlane(command, str(first), str(second))
    assert ended.returncode == 2
    assert "both hold the bot" in ended.stderr


def test_a_manifest_for_two_bots_is_refused(corpus: Path, tmp_path: Path) -> None:
    bots = [str(corpus / f"{name}.json") for name in ("go-back", "qr-sms")]
    ended = botlane("run", *bots, "--manifest", str(tmp_path / "m.toml"))
    assert ended.returncode == 2
    assert "--manifest goes with one bot" in ended.stderr


def test_a_manifest_that_is_not_there_is_named_as_a_manifest(tmp_path: Path) -> None:
    ended = botlane("run", str(ROOT / "examples/web-view/web-view.json"), "--manifest", str(tmp_path / "m.toml"))
    assert ended.returncode == 2
    assert (
        ended.stderr
        == f"botlane: {tmp_path}/m.toml: there is no such file. Give the path of a manifest with --manifest.\n"
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [("missing.json", None), ("text.json", b"hello"), ("list.json", b"[]"), ("other.json", b'{"a": 1}')],
)
def test_a_bad_bot_is_one_error_that_names_the_file(name: str, content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    ended = botlane("run", str(tmp_path / name), "--data", str(tmp_path / "data"))
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"botlane: {tmp_path / name}: ")
    assert ended.stderr.count("\n") == 1
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("option", [("--redis", "localhost"), ("--rewrite-url", "a=b"), ("--port", "70000")])
def test_an_option_that_cannot_be_used_is_named(option: tuple[str, str], corpus: Path) -> None:
    ended = botlane("run", str(corpus / "go-back.json"), *option)
    assert ended.returncode == 2
    assert option[0] in ended.stderr


def test_a_trace_of_nothing_is_an_error(valkey_server: str) -> None:
    ended = botlane("trace", f"0-{'0' * 32}", BOTLANE_REDIS_URL=valkey_server)
    assert ended.returncode == 1
    assert "There is no conversation" in ended.stderr


def test_what_is_no_conversation_is_refused_with_where_to_find_one() -> None:
    ended = botlane("trace", "0-a9c8d0")
    assert ended.returncode == 2
    assert ended.stderr.startswith("botlane: '0-a9c8d0' is no conversation's id. Give the whole id, such as 0-")
    assert ended.stderr.count("\n") == 1


def test_a_run_that_was_killed_uses_its_folder_no_more(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (tmp_path / "ready.json").write_text(f'{{"pid": {ended.pid}, "redis": "unix:///gone/valkey.sock"}}')
    asked = botlane("bots", "--data", str(tmp_path))
    assert asked.returncode == 2
    assert f"{tmp_path}: no botlane run uses this folder now" in asked.stderr


def test_a_folder_on_which_nothing_runs_is_named(tmp_path: Path) -> None:
    ended = botlane("bots", "--data", str(tmp_path))
    assert ended.returncode == 2
    assert f"{tmp_path}: no botlane run uses this folder now" in ended.stderr


def test_a_port_in_use_is_refused_with_a_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CommandFailed, match=f"Port {port} of 127.0.0.1 is in use.*--port"):
            refuse_used_port("127.0.0.1", port)


def test_free_ports_are_not_those_that_port_0_gives() -> None:
    assert all(15_000 <= port_of_run("127.0.0.1") < 30_000 for _ in range(20))


def test_a_host_of_another_machine_is_refused_with_a_remedy() -> None:
    with pytest.raises(CommandFailed, match=r"192\.0\.2\.1 is no address of this machine.*--host"):
        refuse_used_port("192.0.2.1", 0)


@pytest.mark.parametrize(("host", "yes"), [("127.0.0.2", True), ("::1", True), ("localhost", True), ("0.0.0.0", False)])
def test_loopback_addresses_are_recognised(host: str, yes: bool) -> None:
    assert is_loopback(host) is yes
