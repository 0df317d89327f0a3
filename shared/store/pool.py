"""The pool of connections of every client: connecting happens side by side.

redis-py's own pool connects under a lock. While a server is away each attempt takes its time, and whoever asks for a
connection waits for the attempts of all before: a gateway under load would answer 503 after minutes.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any

from redis.asyncio import Connection, ConnectionPool
from redis.asyncio.connection import AbstractConnection
from redis.connection import HiredisRespSerializer


class Pool(ConnectionPool):
    """Gives out connections that are connected, each as soon as its own attempt ends."""

    def __init__(self, connection_class: type[AbstractConnection] = Connection, **options: Any) -> None:
        super().__init__(connection_class=_packing(connection_class), **options)  # type: ignore[arg-type] # a class can be hashed

    async def get_connection(self, command_name: Any = None, *keys: Any, **options: Any) -> AbstractConnection:  # noqa: ARG002 - redis' signature
        """Return a connected connection. Raises redis' ConnectionError, also when the pool is exhausted."""
        connection: AbstractConnection = self.get_available_connection()  # type: ignore[no-untyped-call]
        try:
            await self.ensure_connection(connection)
        except BaseException:
            await self.release(connection)
            raise
        return connection


class _Packs:
    """Packs commands in C. redis-py's asynchronous connections do it in Python: 100 us for three scripts with keys."""

    _serializer = HiredisRespSerializer()

    def pack_command(self, *arguments: Any) -> list[bytes]:
        """Return a command in the protocol. Raises redis' DataError for what is neither text, bytes nor number."""
        packed: list[bytes] = self._serializer.pack(*arguments)
        return packed

    def pack_commands(self, commands: Iterable[Iterable[Any]]) -> list[bytes]:
        """Return commands in the protocol, as one piece to write."""
        return [b"".join(self.pack_command(*command)[0] for command in commands)]


@cache
def _packing(kind: type[AbstractConnection]) -> type[AbstractConnection]:
    return type(f"Packing{kind.__name__}", (_Packs, kind), {})
