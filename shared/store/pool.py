"""The pool of connections of every client: connecting happens side by side.

redis-py's own pool connects under a lock. While a server is away each attempt takes its time, and whoever asks for a
connection waits for the attempts of all before: a gateway under load would answer 503 after minutes.
"""

from typing import Any

from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection


class Pool(ConnectionPool):
    """Gives out connections that are connected, each as soon as its own attempt ends."""

    async def get_connection(self, command_name: Any = None, *keys: Any, **options: Any) -> AbstractConnection:  # noqa: ARG002 - redis' signature
        """Return a connected connection. Raises redis' ConnectionError, also when the pool is exhausted."""
        connection: AbstractConnection = self.get_available_connection()  # type: ignore[no-untyped-call]
        try:
            await self.ensure_connection(connection)
        except BaseException:
            await self.release(connection)
            raise
        return connection
