"""Commands as they are typed, each in a process of its own that is forked, since starting Python costs half a second.

`python -m tests.services.cli.typed` is the process they are forked from: it has the commands imported, and runs what
its standard input says, a line of JSON for each.
"""

import atexit
import gc
import importlib
import json
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[3]
_forking: list[subprocess.Popen[str]] = []


def typed(*arguments: object, variables: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run `botlane` with these arguments in the project's folder, in an environment of nothing but `variables`."""
    if not _forking:
        command = [sys.executable, "-m", __name__]
        forking = subprocess.Popen(
            command, cwd=ROOT, env={}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        _forking.append(forking)
        atexit.register(forking.kill)
    [server] = _forking
    assert server.stdin
    assert server.stdout
    words = [str(argument) for argument in arguments]
    with tempfile.TemporaryDirectory() as folder:
        server.stdin.write(json.dumps([words, variables or {}, folder]) + "\n")
        code = int(server.stdout.readline())
        out, err = (Path(folder, name).read_text() for name in ("out", "err"))
    return subprocess.CompletedProcess(words, code, out, err)


def _serve() -> None:
    from services.cli import app
    from services.cli.__main__ import main

    for place in app.COMMANDS.values():
        importlib.import_module(place.partition(":")[0])
    gc.collect()
    gc.freeze()  # a child that looked for garbage among it would copy it all
    for line in sys.stdin:
        words, variables, folder = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(variables, folder)
            _end(main, words)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _end(main: Callable[[list[str]], None], words: list[str]) -> None:
    """Run a command and end with its exit code, without taking down all that was imported."""
    code = 1
    try:
        main(words)
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:  # noqa: BLE001 - told as Python tells it
        traceback.print_exc()
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)


def _become(variables: dict[str, str], folder: str) -> None:
    os.environ.clear()  # noqa: TID251 - it is another process
    os.environ.update(variables)  # noqa: TID251 - see above
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(f"{folder}/{name}", os.O_WRONLY | os.O_CREAT), number)


if __name__ == "__main__":
    _serve()
