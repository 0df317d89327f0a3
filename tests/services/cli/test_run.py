import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from tests.ports import free_port
from tests.processes import children_of, is_alive, wait_until_gone

ROOT = Path(__file__).parents[3]
BOT = ROOT / "examples/web-view/web-view.json"
STOPS_WITHIN = 60.0
"""Far more than the three seconds it may take: a busy machine is no failure."""


class Run:
    """A `botlane run`, started as a person does."""

    def __init__(self, data: Path, *options: str, log: str = "run.log", **variables: str) -> None:
        self.data = data
        self.log = data.with_name(log)
        command = [sys.executable, "-m", "services.cli", "run", str(BOT), "--data", str(data), *options]
        variables = {"BOTLANE_TURN_PROCESSES": "1", **variables}
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(command, env=variables, cwd=ROOT, stdout=output, stderr=output)

    def until_ready(self) -> dict[str, Any]:
        while (ready := self.ready()).get("pid") != self.process.pid:  # a killed one leaves its own behind
            assert self.process.poll() is None, self.said()
            time.sleep(0.02)
        return ready

    def ready(self) -> dict[str, Any]:
        with contextlib.suppress(FileNotFoundError):
            ready: dict[str, Any] = msgspec.json.decode((self.data / "ready.json").read_bytes())
            return ready
        return {}

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(STOPS_WITHIN)

    def said(self) -> str:
        return self.log.read_text()


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    runs: list[Run] = []

    def start(*options: str, data: Path = tmp_path / "data", **variables: str) -> Run:
        runs.append(Run(data, "--port", "0", *options, **variables))
        return runs[-1]

    yield start
    for started in runs:
        if started.process.poll() is None:
            started.process.kill()
            started.process.wait()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """One that several tests talk to."""
    started = Run(tmp_path_factory.mktemp("run") / "data", "--port", "0")
    started.until_ready()
    yield started
    started.end()


async def open_conversation(url: str) -> dict[str, str]:
    bot_id = msgspec.json.decode(BOT.read_bytes())["bot"]["id"]
    async with aiohttp.ClientSession() as client, client.post(f"{url}/v1/bots/{bot_id}/conversations", json={}) as made:
        assert made.status == 201, await made.text()
        opened: dict[str, str] = await made.json()
        return opened


async def messages(url: str, opened: dict[str, str]) -> list[Any]:
    where = f"{url}/v1/conversations/{opened['conversationId']}/messages"
    headers = {"Authorization": f"Bearer {opened['token']}"}
    async with aiohttp.ClientSession() as client, client.get(where, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        found: list[Any] = (await answer.json())["messages"]
        return found


async def say(url: str, opened: dict[str, str], text: str) -> None:
    where = f"{url}/v1/conversations/{opened['conversationId']}/messages"
    headers = {"Authorization": f"Bearer {opened['token']}"}
    async with aiohttp.ClientSession() as client, client.post(where, headers=headers, json={"text": text}) as answer:
        assert answer.status == 202, await answer.text()


async def test_it_says_where_it_listens_and_ctrl_c_leaves_nothing_behind(run: Callable[..., Run]) -> None:
    started = run()
    ready = started.until_ready()
    assert ready["pid"] == started.process.pid
    assert ready["url"] in started.said()
    assert set(ready["programs"]) == {"valkey", "gateway", "dialog-worker", "integration-worker"}
    pids = list(ready["programs"].values())
    children = children_of(ready["programs"]["dialog-worker"])
    sockets = Path((started.data / "socket-folder").read_text())
    assert started.end() == 130
    wait_until_gone(*pids, *children)
    assert not sockets.exists()
    assert sorted(left.name for left in started.data.iterdir()) == ["logs", "secret", "valkey"]
    with socket.create_server(("127.0.0.1", int(ready["url"].rpartition(":")[2]))):
        pass


@pytest.mark.proof
async def test_the_second_start_goes_on_where_the_first_ended(run: Callable[..., Run]) -> None:
    first = run()
    url = first.until_ready()["url"]
    opened = await open_conversation(url)
    await say(url, opened, "hello")
    first.end()
    second = run()
    told = await messages(second.until_ready()["url"], opened)
    assert [message["text"] for message in told if message["from"] == "consumer"] == ["hello"]
    second.end()


async def test_each_turn_is_told_in_a_line_without_what_was_said(running: Run) -> None:
    url = running.until_ready()["url"]
    opened = await open_conversation(url)
    await say(url, opened, "a very private hello")
    while f"{opened['conversationId'][:8]}    1  message" not in running.said():
        time.sleep(0.02)
    assert running.said().count(f"is conversation {opened['conversationId']}\n") == 1
    assert "private hello" not in running.said()


def test_what_runs_the_bots_scripts_does_not_get_the_secret(running: Run) -> None:
    """Turn processes are children of the dialog worker, which seals with it."""
    pids: dict[str, int] = running.until_ready()["programs"]
    secret = (running.data / "secret").read_bytes()
    children = children_of(pids["dialog-worker"])
    assert children
    all_pids = pids | {f"turn process {pid}": pid for pid in children}
    knowing = {name for name, pid in all_pids.items() if secret in Path(f"/proc/{pid}/environ").read_bytes()}
    assert knowing == {"gateway", "dialog-worker", "integration-worker"}


def test_no_manifest_may_name_what_lies_in_the_data_folder(running: Run) -> None:
    worker = running.until_ready()["programs"]["integration-worker"]
    variables = Path(f"/proc/{worker}/environ").read_bytes().decode().split("\0")
    [closed] = [one.partition("=")[2] for one in variables if one.startswith("BOTLANE_CLOSED_FILES=")]
    assert closed.split(",") == [str(running.data), str(running.data / "secret")]


def test_ctrl_c_before_it_is_ready_leaves_nothing_behind(run: Callable[..., Run]) -> None:
    started = run()
    while not (started.data / "lock").exists():
        time.sleep(0.005)
    assert started.end() == 130
    assert not (started.data / "lock").exists()


def test_a_second_ctrl_c_ends_everything_at_once(run: Callable[..., Run]) -> None:
    started = run()
    pids = list(started.until_ready()["programs"].values())
    os.kill(pids[1], signal.SIGSTOP)  # a program that does not answer
    started.process.send_signal(signal.SIGINT)
    while "Stopping" not in started.said():
        time.sleep(0.01)
    assert started.end() == 130
    wait_until_gone(*pids)


def test_a_second_run_on_the_same_folder_is_refused(running: Run) -> None:
    second = Run(running.data, log="second.log")
    assert second.process.wait(STOPS_WITHIN) == 2
    assert f"in use by process {running.process.pid}" in second.said()


def test_a_port_in_use_is_refused(run: Callable[..., Run]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        started = run("--port", str(taken.getsockname()[1]))
        assert started.process.wait(STOPS_WITHIN) == 2
    assert "is in use: stop the program that uses it, or choose another with --port" in started.said()


def test_waiting_for_replicas_of_the_embedded_server_is_refused(run: Callable[..., Run]) -> None:
    started = run(BOTLANE_DURABILITY="replicated")
    assert started.process.wait(STOPS_WITHIN) == 2
    assert "an embedded server has none: name a server that has some with --redis" in started.said()


def test_a_redis_that_is_away_exits_3(run: Callable[..., Run]) -> None:
    started = run("--redis", f"redis://127.0.0.1:{free_port()}/0")
    assert started.process.wait(STOPS_WITHIN) == 3
    assert "No Redis answers at redis://127.0.0.1:" in started.said()
    assert "mend --redis" in started.said()


def test_a_redis_of_ones_own_is_used_and_left_running(run: Callable[..., Run], valkey_server: str) -> None:
    started = run("--redis", valkey_server)
    assert set(started.until_ready()["programs"]) == {"gateway", "dialog-worker", "integration-worker"}
    assert started.end() == 130
    assert Path(valkey_server.removeprefix("unix://")).exists()


@pytest.mark.proof
async def test_a_program_that_is_killed_comes_back(run: Callable[..., Run]) -> None:
    started = run()
    ready = started.until_ready()
    for name in ("valkey", "dialog-worker"):
        killed = ready["programs"][name]
        os.kill(killed, signal.SIGKILL)
        while (ready := started.until_ready())["programs"][name] == killed:
            time.sleep(0.02)
    assert "dialog-worker was ended by SIGKILL: starting it again" in started.said()
    opened = await open_conversation(ready["url"])
    await say(ready["url"], opened, "hello")
    while not any(message["from"] == "bot" for message in await messages(ready["url"], opened)):
        time.sleep(0.05)
    started.end()


@pytest.mark.proof
def test_nothing_outlives_a_killed_run_and_its_folder_is_usable_at_once(run: Callable[..., Run]) -> None:
    killed = run()
    ready = killed.until_ready()
    pids = [*ready["programs"].values(), *children_of(ready["programs"]["dialog-worker"])]
    killed.process.kill()
    killed.process.wait()
    second = run()
    second.until_ready()
    wait_until_gone(*pids)
    second.end()


def test_on_another_address_the_page_asks_for_a_printed_token(run: Callable[..., Run]) -> None:
    started = run("--host", "0.0.0.0")
    assert started.until_ready()["url"].startswith("http://127.0.0.1:")
    assert "/?console=" in started.said()
    started.end()


def test_being_asked_to_end_is_no_failure_and_ends_the_command_beside_too(run: Callable[..., Run]) -> None:
    command = f"{sys.executable} -c 'import time; print(\"beside is up\", flush=True); time.sleep(600)'"
    started = run("--beside", command)
    pid = started.until_ready()["programs"][command]
    assert is_alive(pid)
    assert started.end(signal.SIGTERM) == 0
    wait_until_gone(pid)


@pytest.mark.parametrize("words", [["bots"], ["deploy", str(BOT)]], ids=["bots", "deploy"])
def test_bots_are_listed_and_published_beside_a_running_run(running: Run, words: list[str]) -> None:
    command = [sys.executable, "-m", "services.cli", *words, "--data", str(running.data)]
    ended = subprocess.run(command, cwd=ROOT, env={}, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "Bike desk" in ended.stdout


def test_status_shows_the_programs_of_a_running_run(running: Run) -> None:
    started = running.until_ready()["programs"]
    command = [sys.executable, "-m", "services.cli", "status", "--json", "--data", str(running.data)]
    seen: dict[str, int] = {}
    while len(seen) < 3:  # each says so for the first time a moment after it is ready
        ended = subprocess.run(command, cwd=ROOT, env={}, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr
        status = msgspec.json.decode(ended.stdout)
        seen = {program["program"]: program["pid"] for program in status["programs"]}
    assert seen == {name: pid for name, pid in started.items() if name != "valkey"}
    assert [bot["name"] for bot in status["bots"]] == ["Bike desk"]
    assert status["server"]["appendonly"]
    assert status["notes"] == []
