"""A server of a test's own, to be stopped and started under whoever uses it."""

import subprocess
from pathlib import Path

from arq.connections import ArqRedis

from shared.store.connection import RedisUnreachable, reach
from tests.server import SERVER


class OwnServer:
    """A private server with an append-only file that can be stopped and started again."""

    def __init__(self, folder: Path, **changed: str) -> None:
        self.url = f"unix://{folder}/s"
        self.log = folder / "appendonlydir" / "appendonly.aof.1.incr.aof"
        options = {"port": "0", "unixsocket": f"{folder}/s", "dir": str(folder), "appendonly": "yes", "save": ""}
        options |= changed
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        self._command = [SERVER, *arguments]
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()


async def answers(redis: ArqRedis) -> bool:
    try:
        await reach(redis)
    except RedisUnreachable:
        return False
    return True
