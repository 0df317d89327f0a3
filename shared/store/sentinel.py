"""Servers watched by Sentinel: an address that names the sentinels, and connections that always go to the primary.

    redis+sentinel://[user:password@]host:port,host:port,host:port/service[/database][?sentinel_password=…]

Law: every new connection asks the sentinels where the primary is and asks that server for its role; whoever learns of
another primary closes the connections to the one before. What was sent there and not answered is sent again, which
every script allows (redis-py's own pool for Sentinel leaves connections in use where they are).
"""

import asyncio
import re
from typing import Any
from urllib.parse import parse_qs, unquote

import msgspec
from redis import exceptions
from redis.asyncio import Connection
from redis.asyncio.sentinel import Sentinel

from shared.store.pool import Pool

SCHEME = "redis+sentinel://"
SENTINEL_PORT = 26379
SENTINEL_SECONDS = 1.0

_ADDRESS = re.compile(
    r"redis\+sentinel://(?:(?P<who>[^@/]*)@)?(?P<hosts>[^/?@]*)"
    r"(?:/(?P<service>[^/?]*))?(?:/(?P<database>[^?]*))?(?:\?(?P<query>.*))?"
)
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s:\[\]]+)(?::(\d{1,5}))?")


class WrongAddress(ValueError):  # noqa: N818 - says what it is
    """An address of sentinels that cannot be used: the message says what to mend and holds no password."""


class Watched(msgspec.Struct, frozen=True):
    """What a `redis+sentinel://` address says."""

    sentinels: tuple[tuple[str, int], ...]
    service: str
    database: int = 0
    username: str | None = None
    password: str | None = None
    sentinel_username: str | None = None
    sentinel_password: str | None = None

    @property
    def shown(self) -> str:
        """The address without users and passwords."""
        hosts = ",".join(f"{host}:{port}" for host, port in self.sentinels)
        return f"{SCHEME}{hosts}/{self.service}/{self.database}"


def read_address(url: str) -> Watched:
    """Read a `redis+sentinel://` address. Raises WrongAddress."""
    found = _ADDRESS.fullmatch(url.strip())
    if found is None:
        raise WrongAddress(f"an address like {SCHEME}:password@host1:26379,host2:26379,host3:26379/service/0")
    if not found["service"]:
        raise WrongAddress(f"the name that the sentinels monitor, after their addresses: {SCHEME}host:port,…/service")
    database = found["database"] or "0"
    if not re.fullmatch(r"\d{1,4}", database, re.ASCII):
        raise WrongAddress("a number as database, after the service: …/service/0")
    username, colon, password = (found["who"] or "").partition(":")
    if username and not colon:
        raise WrongAddress(f"`user:password@`, or `:password@` when there is no user, after {SCHEME}")
    own = _query(found["query"] or "")
    return Watched(
        sentinels=tuple(_host(host) for host in found["hosts"].split(",")),
        service=unquote(found["service"]),
        database=int(database),
        username=unquote(username) or None,
        password=unquote(password) or None,
        **own,
    )


def _host(text: str) -> tuple[str, int]:
    found = _HOST.fullmatch(text.strip())
    if found is None or not 0 < int(found[2] or SENTINEL_PORT) < 65536:
        raise WrongAddress(f"each sentinel as `host` or `host:port`, separated by commas, after {SCHEME}")
    return found[1].strip("[]"), int(found[2] or SENTINEL_PORT)


def _query(text: str) -> dict[str, str]:
    given = parse_qs(text, keep_blank_values=True)
    if unknown := set(given) - {"sentinel_username", "sentinel_password"}:
        names = ", ".join(sorted(unknown))
        raise WrongAddress(f"nothing after the question mark but sentinel_username and sentinel_password, not {names}")
    return {name: values[-1] for name, values in given.items()}


class PrimaryConnection(Connection):
    """A connection to whichever server is the primary when it is made."""

    def __init__(self, **options: Any) -> None:
        self._pool: PrimaryPool = options.pop("primary_pool")
        super().__init__(**options)

    async def _connect(self) -> None:
        self.host, self.port = await self._pool.primary()
        await super()._connect()  # type: ignore[no-untyped-call]

    async def on_connect(self) -> None:
        """Refuse a server that is a replica: a sentinel may be the last to hear of a failover."""
        await super().on_connect()
        await self.send_command("ROLE", check_health=False)
        role, *_ = await self.read_response()
        if role != b"master":
            raise exceptions.ConnectionError("the server is not the primary (any more)")


class PrimaryPool(Pool):
    """Connections to the primary that the sentinels name. Times are seconds."""

    def __init__(self, watched: Watched, **options: Any) -> None:
        known = {"username": watched.sentinel_username, "password": watched.sentinel_password}
        times = {"socket_timeout": SENTINEL_SECONDS, "socket_connect_timeout": SENTINEL_SECONDS}
        self.watched = watched
        self._sentinel = Sentinel(list(watched.sentinels), sentinel_kwargs={**known, **times})  # type: ignore[no-untyped-call]
        self._asking: asyncio.Task[tuple[str, int]] | None = None
        super().__init__(
            connection_class=PrimaryConnection,
            primary_pool=self,
            db=watched.database,
            username=watched.username,
            password=watched.password,
            **options,
        )

    async def primary(self) -> tuple[str, int]:
        """Return host and port of the primary; many who ask at a time ask once. Raises redis' ConnectionError."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
            self._asking.add_done_callback(lambda asked: asked.cancelled() or asked.exception())
        return await asyncio.shield(self._asking)

    async def disconnect(self, inuse_connections: bool = True) -> None:  # noqa: FBT001, FBT002 - redis' signature
        """Close the connections, and with those in use (the client is closing) the ones to the sentinels."""
        await super().disconnect(inuse_connections)
        if inuse_connections:
            await asyncio.gather(*(sentinel.aclose() for sentinel in self._sentinel.sentinels))

    async def _ask(self) -> tuple[str, int]:
        host, port = await self._sentinel.discover_master(self.watched.service)
        now = (str(host), int(port))
        await asyncio.gather(*(other.disconnect(nowait=True) for other in self._elsewhere(now)))
        return now

    def _elsewhere(self, primary: tuple[str, int]) -> list[PrimaryConnection]:
        known = [*self._available_connections, *self._in_use_connections]
        ours = [one for one in known if isinstance(one, PrimaryConnection) and one.is_connected]
        return [one for one in ours if (one.host, one.port) != primary]
