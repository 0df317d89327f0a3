import os
import platform
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from arq.connections import ArqRedis

from services.cli.child import Child
from services.cli.data_folder import DataFolder
from services.cli.embedded_server import EmbeddedServer, server_binary
from services.cli.failure import FINDINGS, WRONG_USE, CommandFailed
from shared.store.connection import connect


@asynccontextmanager
async def running(path: Path) -> AsyncIterator[tuple[Child, ArqRedis]]:
    folder = DataFolder(path)
    server = EmbeddedServer(folder)
    child = await server.start()
    async with connect(server.url) as redis:
        yield child, redis
    await child.stop(10)
    folder.close()


async def test_it_listens_on_a_socket_only_its_owner_may_use(tmp_path: Path) -> None:
    async with running(tmp_path) as (_, redis):
        assert (await redis.config_get("port"))["port"] == "0"
        path = Path((await redis.config_get("unixsocket"))["unixsocket"])
        assert path.stat().st_mode & 0o077 == 0


async def test_data_is_there_at_the_next_start(tmp_path: Path) -> None:
    async with running(tmp_path) as (_, redis):
        await redis.set("kept", "yes")
    async with running(tmp_path) as (_, redis):
        assert await redis.get("kept") == b"yes"


async def test_it_flushes_its_data_when_asked_to_end(tmp_path: Path) -> None:
    async with running(tmp_path) as (child, redis):
        await redis.set("kept", "yes")
        os.kill(child.pid, signal.SIGTERM)
        assert await child.wait() == 0
    async with running(tmp_path) as (_, redis):
        assert await redis.get("kept") == b"yes"


async def test_the_folder_stays_locked_while_a_server_outlives_its_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.cli.data_folder.PATIENCE", 0.1)
    folder = DataFolder(tmp_path)
    child = await EmbeddedServer(folder).start()
    os.close(folder.lock)
    with pytest.raises(CommandFailed, match="is in use by"):
        DataFolder(tmp_path)
    await child.stop(10)
    DataFolder(tmp_path).close()


async def test_a_server_that_cannot_start_is_reported_with_its_last_words(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    (folder.server / "appendonlydir").write_text("in the way")
    with pytest.raises(CommandFailed, match="did not start:\n") as failed:
        await EmbeddedServer(folder).start()
    assert failed.value.exit_code == FINDINGS
    folder.close()


@pytest.mark.parametrize(("system", "machine"), [("darwin", "arm64"), ("linux", "riscv64")])
def test_another_platform_is_pointed_to_containers(system: str, machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    with pytest.raises(CommandFailed, match=rf"{system} {machine}.*compose\.yaml.*--redis") as refused:
        server_binary()
    assert refused.value.exit_code == WRONG_USE
