"""What all tests share: a private server on a unix socket for each test process, and the corpus of real bots."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from arq.connections import ArqRedis
from hypothesis import HealthCheck, settings

from shared.store.connection import connect
from tests.server import SERVER

ROOT = Path(__file__).parents[1]
STARTS_WITHIN = 60.0
# How long an example takes says more of the machine than of what it shows.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell leaves it for what runs in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)  # tests send it to the programs they start


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[str]:
    """The address of a server of this process's own, without persistence."""
    folder = Path(tempfile.mkdtemp(prefix="bl-", dir="/tmp"))  # the path of a socket may have 107 bytes
    socket = folder / "s"
    options = {"--port": "0", "--unixsocket": str(socket), "--save": "", "--appendonly": "no", "--dir": str(folder)}
    command = [SERVER, *(part for pair in options.items() for part in pair)]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + STARTS_WITHIN
        while not socket.exists():
            if server.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"valkey did not start: {(folder / 'log').read_text()}")
            time.sleep(0.005)
        yield f"unix://{socket}"
    finally:
        server.kill()
        server.wait()
        shutil.rmtree(folder)


@pytest.fixture
async def redis(valkey_server: str) -> AsyncIterator[ArqRedis]:
    """A client of the private server, which is empty at the start of every test."""
    client = connect(valkey_server)
    await client.flushall()
    yield client
    await client.aclose()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that proofs hand over (`tests/proofs/form.py`), added up by title."""
    counts: dict[str, Counter[str]] = {}
    slowest: dict[str, dict[str, float]] = {}
    for report in terminalreporter.getreports("passed"):
        for name, figures in report.user_properties:
            if name == "figures":
                title = figures["title"]
                counts.setdefault(title, Counter()).update(figures["counts"])
                worst = slowest.setdefault(title, {})
                worst.update({key: max(value, worst.get(key, 0)) for key, value in figures["slowest"].items()})
    for title, counted in sorted(counts.items()):
        told = [f"{count:,} {word}" for word, count in counted.most_common()]
        told += [f"slowest {key} {seconds * 1000:.0f} ms" for key, seconds in slowest[title].items()]
        terminalreporter.write_line(f"{title}: {', '.join(told)}")


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real exports. Without it a test is skipped, but fails where CI promises to have it."""
    folder = Path(os.environ.get("BOTLANE_CORPUS", ROOT / "../shared/corpus/bots"))  # noqa: TID251 (only tests ask)
    if not folder.is_dir():
        reason = f"no corpus at {folder}: name its folder in BOTLANE_CORPUS"
        if os.environ.get("CI") == "true":  # noqa: TID251 (only tests ask)
            pytest.fail(reason)
        pytest.skip(reason)
    return folder.resolve()
