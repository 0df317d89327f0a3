"""The pool of connections of every client, and what its connections do that redis-py's own do not.

Connecting happens side by side: redis-py's pool connects under a lock, so that while a server is away everybody waits
for the attempts of all before, and a gateway under load would answer 503 after minutes. A server that has become
a replica is left: its name, or its sentinels, may lead to the primary by now. And commands are packed in C, and answers
that have arrived are read at once.
"""

import asyncio
import re
from collections.abc import Iterable, Iterator
from typing import Any

from redis import exceptions
from redis._parsers.base import BaseParser
from redis._parsers.hiredis import NOT_ENOUGH_DATA
from redis.asyncio import Connection, ConnectionPool
from redis.asyncio.connection import AbstractConnection

from shared.store import packing
from shared.store.packing import ScriptCall

WRITTEN_AT_ONCE = 65_536
"""Bytes that asyncio keeps before it asks who writes to wait."""
_IN_A_SCRIPT = re.compile(r"@user_script: ?\d+: -(?P<told>[A-Z]+ .*)", re.DOTALL)


def told_plainly(error: exceptions.ResponseError) -> exceptions.RedisError:
    """Return what a command in a script was told, which Redis before 7 puts into a sentence about the script."""
    found = _IN_A_SCRIPT.search(str(error))
    return BaseParser.parse_error(found["told"]) if found else error  # type: ignore[no-untyped-call] # redis-py types it not


class LeavesReplicas(AbstractConnection):
    """A connection that is closed when its server takes no writes any more; the command may be tried on another."""

    async def read_response(self, *arguments: Any, **options: Any) -> Any:
        """Read an answer. Raises redis' ConnectionError in place of its ReadOnlyError."""
        try:
            return await super().read_response(*arguments, **options)
        except exceptions.ResponseError as error:
            told = told_plainly(error)
            if not isinstance(told, exceptions.ReadOnlyError):
                raise told from None
            await self.disconnect(nowait=True)
            raise exceptions.ConnectionError("the server is a replica now") from error


class ChecksLater(AbstractConnection):
    """A connection that is not checked while it is made.

    redis-py asks a server that accepts and never answers, a frozen one say, for a PING; when that is late it connects
    again from within, where a PING is asked for too, and so on without an end.
    """

    async def on_connect(self) -> None:
        """Greet the server. Raises redis' ConnectionError and TimeoutError."""
        self.next_health_check = asyncio.get_running_loop().time() + self.health_check_interval
        await super().on_connect()

    async def check_health(self) -> None:
        """Ask for a PING when the last answer is old. Raises redis' errors: whoever has a command tries both again."""
        if self.health_check_interval and asyncio.get_running_loop().time() > self.next_health_check:
            await self._send_ping()  # type: ignore[no-untyped-call]


class PacksInC(AbstractConnection):
    """A connection that packs commands as redis-py's blocking ones do; its own way costs 100 us for three scripts."""

    def pack_command(self, *arguments: Any) -> list[bytes]:
        """Return a command in the protocol. Raises redis' DataError for what is neither text, bytes nor number."""
        return [packing.command(*arguments)]

    def pack_commands(self, commands: Iterable[Iterable[Any]]) -> list[bytes]:
        """Return commands in the protocol, in one piece."""
        return [b"".join([one.packed() if isinstance(one, ScriptCall) else packing.command(*one) for one in commands])]


class ReadsWhatIsThere(AbstractConnection):
    """A connection that sets no time limit for an answer that has arrived with the one before: half of reading it."""

    async def read_response(self, disable_decoding: bool = False, *arguments: Any, **options: Any) -> Any:  # noqa: FBT001, FBT002 - redis' signature
        """Read an answer. Raises redis' ResponseError for one that says so."""
        parser: Any = self._parser
        answer = parser._reader.gets() if parser._connected and not disable_decoding else NOT_ENOUGH_DATA  # noqa: SLF001 - it tells nobody else
        if answer is NOT_ENOUGH_DATA:
            return await super().read_response(disable_decoding, *arguments, **options)
        if isinstance(answer, exceptions.ConnectionError):
            await self.disconnect(nowait=True)
            raise answer
        if isinstance(answer, exceptions.ResponseError):
            raise answer
        return answer

    def arrived(self) -> Iterator[Any]:
        """Give what has arrived and was not read: of a subscription, more messages."""
        parser: Any = self._parser
        while (answer := parser._reader.gets()) is not NOT_ENOUGH_DATA:  # noqa: SLF001 - as above
            yield answer


class WaitsForNothing(AbstractConnection):
    """A connection that makes a task and a timer only when there is something to wait for.

    asyncio reads from a socket by itself and keeps what cannot be written yet: both say whether anything is left.
    """

    async def can_read_destructive(self) -> bool:
        """Tell whether something came that nobody asked for. Raises redis' ConnectionError when the server has left."""
        reader, parser = self._reader, self._parser
        if reader is None or reader.at_eof() or not parser._connected:  # type: ignore[attr-defined] # noqa: SLF001 - as above
            return bool(await super().can_read_destructive())  # type: ignore[no-untyped-call]
        return bool(reader._buffer) or parser._reader.gets() is not NOT_ENOUGH_DATA  # type: ignore[attr-defined] # noqa: SLF001 - as above

    async def send_packed_command(self, command: bytes | str | Iterable[bytes], check_health: bool = True) -> None:  # noqa: FBT001, FBT002 - redis' signature
        """Send commands. Raises redis' ConnectionError and TimeoutError."""
        if not (self.is_connected and isinstance(command, list)):
            await super().send_packed_command(command, check_health)
            return
        if check_health:
            await self.check_health()  # type: ignore[no-untyped-call]
        writer: asyncio.StreamWriter = self._writer  # type: ignore[assignment] # it is connected, perhaps again
        writer.writelines(command)
        if writer.transport.is_closing() or writer.transport.get_write_buffer_size() > WRITTEN_AT_ONCE:
            await super().send_packed_command([], check_health=False)  # waits for the rest, with its time limit


def _ours(kind: type[AbstractConnection]) -> type[AbstractConnection]:
    return type(kind.__name__, (LeavesReplicas, ChecksLater, ReadsWhatIsThere, WaitsForNothing, PacksInC, kind), {})


class Pool(ConnectionPool):
    """Gives out connections that are connected, each as soon as its own attempt ends."""

    def __init__(self, connection_class: type[AbstractConnection] = Connection, **options: Any) -> None:
        super().__init__(connection_class=_ours(connection_class), **options)

    async def get_connection(self, command_name: Any = None, *keys: Any, **options: Any) -> AbstractConnection:  # noqa: ARG002 - redis' signature
        """Return a connected connection. Raises redis' ConnectionError, also when the pool is exhausted."""
        connection: AbstractConnection = self.get_available_connection()  # type: ignore[no-untyped-call]
        try:
            await self.ensure_connection(connection)
        except BaseException:
            await self.release(connection)
            raise
        return connection

    async def release(self, connection: AbstractConnection) -> None:
        """Take a connection back. redis-py's own way tells who renews credentials, which nobody does here."""
        self._in_use_connections.remove(connection)
        self._available_connections.append(connection)
