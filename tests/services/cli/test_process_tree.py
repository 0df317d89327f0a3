import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from services.cli.child import Child, ChildPlan, start_child
from services.cli.failure import FINDINGS, CommandFailed
from services.cli.process_tree import ProcessTree, Program, Stage
from tests.ports import free_port

SLEEP = "import time; time.sleep(60)"
READY = """
import http.server, sys
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == '/readyz' else 404)
        self.end_headers()
    def log_message(self, *_): pass
http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), Answer).serve_forever()
"""
NOTES_ITS_END = """
import pathlib, signal, sys, time
def end(*_):
    with pathlib.Path(sys.argv[1]).open('a') as order: order.write(sys.argv[2] + ' ')
    sys.exit(0)
signal.signal(15, end)
print('up', flush=True)
time.sleep(60)
"""


def program(
    name: str, tmp_path: Path, code: str, *arguments: str, stage: Stage = Stage.WORKER, ops: str = ""
) -> Program:
    command = (sys.executable, "-c", code, *arguments)
    plan = ChildPlan(name=name, command=command, environment={}, log=tmp_path / f"{name}.log")

    async def start() -> Child:
        return await start_child(plan)

    return Program(name, stage, start, ops)


async def test_programs_are_stopped_entrance_first_and_server_last(tmp_path: Path) -> None:
    tree = ProcessTree(changed=lambda: None)
    order = tmp_path / "order"
    for stage in Stage:
        name = stage.name.lower()
        await tree.start(program(name, tmp_path, NOTES_ITS_END, str(order), name, stage=stage))
        while "up" not in (tmp_path / f"{name}.log").read_text():
            await asyncio.sleep(0.01)
    await tree.stop()
    assert order.read_text() == "entrance worker server "


async def test_ready_waits_until_every_program_says_so(tmp_path: Path) -> None:
    tree = ProcessTree(changed=lambda: None)
    port = free_port()
    await tree.start(program("toy", tmp_path, READY, str(port), ops=f"127.0.0.1:{port}"))
    await tree.ready()
    await tree.kill()


async def test_a_program_that_ends_before_it_is_ready_fails_with_its_last_words(tmp_path: Path) -> None:
    tree = ProcessTree(changed=lambda: None)
    await tree.start(program("toy", tmp_path, "import sys; sys.exit('no good')", ops="127.0.0.1:1"))
    with pytest.raises(CommandFailed, match=r"toy ended with exit code 1(.|\n)*no good") as failed:
        await tree.ready()
    assert failed.value.exit_code == FINDINGS


async def test_a_program_that_dies_is_started_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed = asyncio.Event()
    tree = ProcessTree(changed=changed.set)
    await tree.start(program("toy", tmp_path, SLEEP))
    watching = asyncio.create_task(tree.watch())
    first = tree.pids["toy"]
    os.kill(first, signal.SIGKILL)
    await changed.wait()
    assert tree.pids["toy"] != first
    assert capsys.readouterr().err == "toy was ended by SIGKILL: starting it again\n"
    watching.cancel()
    await asyncio.wait({watching})
    await tree.stop()


async def test_a_program_that_dies_again_and_again_ends_the_run(tmp_path: Path) -> None:
    tree = ProcessTree(changed=lambda: None)
    await tree.start(program("toy", tmp_path, "import sys; sys.exit('broken')"))
    with pytest.raises(CommandFailed, match=r"toy ended with exit code 1(.|\n)*broken"):
        await tree.watch()
