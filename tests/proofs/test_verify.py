"""`botlane verify`: an installation keeps its promises while its programs die, and one that breaks them is caught."""

import asyncio
import contextlib
import json
import random
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from services.verifier.api import Api
from services.verifier.bot import export, manifest
from services.verifier.gateways import Gateways
from services.verifier.load import Load, Plan
from shared.bot.source import BotSource
from shared.store.bots import Bots
from shared.store.connection import connect
from tests.journeys.programs import Programs
from tests.journeys.system import LoopbackApi, clean_environment
from tests.ports import free_port
from tests.proofs.broken_gateway import BrokenGateway
from tests.proofs.form import LONG, SEED, Record, again, record_figures
from tests.store.own_server import OwnServer

pytestmark = pytest.mark.proof
SECONDS = 600 if LONG else 20
ENDS_WITHIN = 150
"""Seconds: what was sent last may wait for a call whose worker was killed, each time it is tried."""


def verify(*options: str) -> tuple[int, str]:
    """Run `botlane verify` and return its exit code and what it says."""
    command = [sys.executable, "-m", "services.cli", "verify", *options]
    ended = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, check=False)
    return ended.returncode, ended.stdout + ended.stderr


@pytest.mark.timeout(SECONDS + ENDS_WITHIN)
def test_nothing_is_lost_doubled_or_overtaken_while_programs_are_killed(
    tmp_path: Path, record_property: Record
) -> None:
    seed = SEED or str(secrets.randbelow(1_000_000))
    file = tmp_path / "report.json"
    load = ("--conversations", "12", "--events", "40", "--seconds", str(SECONDS))
    code, said = verify(*load, "--kill", "--seed", seed, "--json", str(file))
    assert code == 0, f"{said}\n{again(seed, __file__)}"
    report = json.loads(file.read_text())
    assert report["verdict"] == "kept"
    assert report["answers"] > 0
    assert len(report["strikes"]) >= SECONDS / 5
    counts = Counter({"events": report["events"], "answers": report["answers"], "strikes": len(report["strikes"])})
    slowest = {"answer": report["stall"]["worst"], "answer behind a call": report["callStall"]["worst"]}
    record_figures(record_property, "verify --kill", counts, slowest)


def test_an_interrupted_run_leaves_no_process_and_no_file(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "services.cli", "verify", "--conversations", "2", "--seconds", "60", "--kill"]
    environment = {**clean_environment(), "TMPDIR": str(tmp_path)}
    run = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    assert run.stderr is not None
    run.stderr.readline()  # it says how far it is
    assert len(list(tmp_path.iterdir())) > 0
    assert len(processes_below(tmp_path)) >= 3
    run.send_signal(signal.SIGINT)
    assert run.wait(ENDS_WITHIN) == 130
    run.stderr.close()
    assert processes_below(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def processes_below(folder: Path) -> list[str]:
    """Return the commands of the processes whose environment or command names a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (process / "cmdline").read_bytes()
            if str(folder).encode() in command + (process / "environ").read_bytes() and b"services.cli" not in command:
                found.append(command.replace(b"\0", b" ").decode())
    return found


FAULTS = {
    "": set[str](),
    "loses a message": {"lost", "told differently"},  # the latter when it was sent twice
    "doubles a message": {"never sent"},
    "delays a message": {"lost", "told differently"},
    "loses an answer": {"not heard"},
    "doubles an answer": {"heard twice"},
    "swaps answers": {"heard twice"},
    "changes an answer": {"changed"},
}


async def yes(request: web.Request) -> web.Response:
    """Answer a call as the API of `verify` does, on a port that is held from the first test to the last."""
    text = (await request.json())["text"] if request.method == "POST" else request.query["text"]
    return web.json_response({"text": f"yes-{text.rpartition(' ')[2]}"})


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real installation with the bot of the load; its server and the API are its own."""

    async def publish(url: str, api: str) -> None:
        async with connect(url) as redis:
            await Bots(redis, 3600).publish(BotSource(export(), manifest(api)))

    names = ("gateway", "dialog_worker", "integration_worker")
    with LoopbackApi() as api, tempfile.TemporaryDirectory(prefix="bl-", dir="/tmp") as folder:
        api.answers["/answer"] = yes
        server = OwnServer(Path(folder))
        while not (Path(folder) / "s").exists():
            time.sleep(0.01)
        asyncio.run(publish(server.url, api.url))
        with Programs(server.url, tmp_path_factory.mktemp("logs")) as programs:
            programs.start(*names)
            asyncio.run(programs.ready(*names))
            yield programs.url
        server.stop()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault or "keeps its promises")
async def test_an_installation_that_breaks_a_promise_is_caught(
    fault: str, installation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if fault:
        monkeypatch.setattr("services.verifier.talker.PATIENCE", 3.0)  # for answers that will never come
    async with BrokenGateway(installation, fault) as broken, Gateways([broken.url]) as gateways:
        plan = Plan(conversations=6, events=15, seconds=0, seed=5)
        load = Load(plan, gateways, Api(random.Random(1)))
        await load.run()
        await load.settle(0.2)
    assert broken.seen >= 3 or not fault
    found = {one.kind for one in load.violations}
    assert bool(found & FAULTS[fault]) == bool(fault), load.violations
    assert bool(found) == bool(fault), load.violations


async def test_the_command_says_what_was_violated_and_exits_1(installation: str, tmp_path: Path) -> None:
    async with BrokenGateway(installation, "doubles an answer") as broken:
        file = tmp_path / "report.json"
        load = ("--conversations", "6", "--events", "15", "--seed", "5", "--json", str(file))
        code, said = await asyncio.to_thread(verify, *load, "--url", broken.url, "--api-port", str(free_port()))
    assert code == 1, said
    assert "Violated: 1 heard twice (seed 5)." in said
    report: dict[str, Any] = json.loads(file.read_text())
    assert [violation["kind"] for violation in report["violations"]] == ["heard twice"]
    assert len(report["histories"]) == 1


async def test_a_running_installation_is_verified_and_exits_0(installation: str) -> None:
    options = ("--conversations", "2", "--events", "10", "--url", installation, "--api-port", str(free_port()))
    code, said = await asyncio.to_thread(verify, *options)
    assert code == 0, said
    assert "Kept: nothing lost, nothing doubled, nothing overtaken" in said
