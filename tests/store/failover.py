"""A primary, its replicas and three sentinels on loopback, to be killed, frozen and brought back one by one."""

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import redis as blocking
from redis.exceptions import RedisError

from tests.ports import free_port
from tests.server import SERVER

SERVICE = "bots"
PASSWORD = "p@ss/word"
DOWN_AFTER_MS = 2000
WITHIN = 60.0


class Server:
    """One server or sentinel, on a port of its own, which it keeps when it is started again."""

    def __init__(self, folder: Path, name: str, *options: str) -> None:
        self.port = free_port()
        self._log = folder / f"{name}.log"
        data = folder / name
        data.mkdir()
        fixed = ("--bind", "127.0.0.1", "--dir", str(data), "--port", str(self.port))
        self._command = [SERVER, *options, *fixed]
        self.start()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(self._command, stdout=log, stderr=log)

    def client(self) -> blocking.Redis:
        return blocking.Redis(port=self.port, password=PASSWORD, socket_timeout=2)

    def role(self) -> str:
        """`master`, `slave`, or nothing while it does not answer."""
        try:
            with self.client() as client:
                return str(client.info("replication")["role"])
        except RedisError:
            return ""

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)


class Failover:
    """A primary, `replicas` that follow it, and who watches them."""

    def __init__(self, folder: Path, *, replicas: int = 1, down_after_ms: int = DOWN_AFTER_MS) -> None:
        known = ("--requirepass", PASSWORD, "--masterauth", PASSWORD, "--repl-diskless-sync-delay", "0")
        self.first = Server(folder, "first", *known)
        follows = ("--replicaof", "127.0.0.1", str(self.first.port))
        self.replicas = [Server(folder, f"replica-{number}", *known, *follows) for number in range(replicas)]
        until(self.in_step)  # sentinels look for replicas when they start, and then only every 10 s
        self.sentinels = []
        for number in range(3):
            config = folder / f"sentinel-{number}.conf"
            config.write_text(
                f"sentinel monitor {SERVICE} 127.0.0.1 {self.first.port} 2\n"
                f'sentinel auth-pass {SERVICE} "{PASSWORD}"\n'
                f"sentinel down-after-milliseconds {SERVICE} {down_after_ms}\n"
                f"sentinel failover-timeout {SERVICE} 10000\n"
            )
            self.sentinels.append(Server(folder, f"sentinel-{number}", str(config), "--sentinel"))
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        self.url = f"redis+sentinel://:p%40ss%2Fword@{hosts}/{SERVICE}/0"
        self.folder = folder

    def __enter__(self) -> Self:
        until(lambda: all(self._watches(sentinel) for sentinel in self.sentinels))
        return self

    def __exit__(self, *_: object) -> None:
        for server in (*self.sentinels, self.first, *self.replicas):
            server.thaw()
            server.kill()

    def in_step(self) -> bool:
        """Whether all replicas follow the first server."""
        try:
            with self.first.client() as client:
                info = client.info("replication")
        except RedisError:
            return False
        states = [info.get(f"slave{number}", {}).get("state") for number in range(len(self.replicas))]
        return states == ["online"] * len(self.replicas)

    def cut_off(self, *replicas: Server) -> None:
        """Break the link of replicas to the primary: they are refused until they have the password again."""
        for replica in replicas:
            with replica.client() as client:
                client.config_set("masterauth", "wrong")
        with self.first.client() as first:
            first.client_kill_filter(_type="slave")

    def join_again(self, *replicas: Server) -> None:
        for replica in replicas:
            with replica.client() as client:
                client.config_set("masterauth", PASSWORD)

    def primary(self) -> Server | None:
        """The replica that has become the primary."""
        return next((replica for replica in self.replicas if replica.role() == "master"), None)

    def _watches(self, sentinel: Server) -> bool:
        try:
            with blocking.Redis(port=sentinel.port) as client:
                state = client.sentinel_master(SERVICE)
        except RedisError:
            return False
        return bool(state["num-slaves"] == len(self.replicas) and state["num-other-sentinels"] == 2)


def until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN
    while not reached():
        assert time.monotonic() < deadline, "the servers are not where they should be"
        time.sleep(0.02)
