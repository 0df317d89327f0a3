"""Scripts and reads of many conversations sent together: a round trip costs the client more than the server.

What is asked for while a batch is on its way goes with the next one, so a lone command does not wait and a crowd
shares writes, reads and one connection. Each command has its own answer and its own error.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any

from arq.connections import ArqRedis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import NoScriptError, RedisError, ResponseError, TimeoutError  # noqa: A004 - redis' own

from shared.store.connection import translated
from shared.store.packing import NOTHING, Block, Script, ScriptCall

Command = tuple[Any, ...] | ScriptCall
MOST_AT_ONCE = 64
"""Answers are read one after the other: more would make the first ones wait for the last."""


class _Asked:
    """One command that was asked for, the script it runs if it does, and where its answer goes."""

    __slots__ = ("answer", "command", "script")

    def __init__(self, script: Script | None, command: Command) -> None:
        self.script = script
        self.command = command
        self.answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()


class Batches:
    """Runs commands over one client. Who waits for an answer may be cancelled: the command is run all the same."""

    def __init__(self, redis: ArqRedis) -> None:
        self._redis = redis
        self._waiting: deque[_Asked] = deque()
        self._sender: asyncio.Task[None] | None = None

    async def run(
        self, script: Script, keys: Sequence[str], arguments: tuple[Any, ...], *, first_keys: Block = NOTHING
    ) -> Any:
        """Return a script's answer; its KEYS are `first_keys`, then `keys`.

        Raises RedisUnreachable, and ResponseError when the script fails.
        """
        asked = _Asked(script, ScriptCall(script, first_keys, keys, arguments))
        self._send_soon(asked)
        with translated():
            return await asked.answer

    async def ask(self, *commands: tuple[str, ...]) -> list[Any]:
        """Return the answers of commands. Raises RedisUnreachable, and ResponseError when one fails."""
        asked = [_Asked(None, command) for command in commands]
        self._send_soon(*asked)
        with translated():  # gather hears the errors of all, not only the first
            return await asyncio.gather(*(one.answer for one in asked))

    def _send_soon(self, *asked: _Asked) -> None:
        self._waiting += asked
        if self._sender is None:
            self._sender = asyncio.get_running_loop().create_task(self._send())

    async def _send(self) -> None:
        """Send batch after batch until nobody waits."""
        try:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_AT_ONCE))]
                try:
                    answers = await self._execute(batch)
                except Exception as error:  # noqa: BLE001 - whatever it is, it is everybody's answer
                    answers = [error] * len(batch)
                except BaseException:
                    for asked in (*batch, *self._waiting):
                        asked.answer.cancel()
                    self._waiting.clear()
                    raise
                for asked, answer in zip(batch, answers, strict=True):
                    _answer(asked.answer, answer)
        finally:
            self._sender = None

    async def _execute(self, batch: list[_Asked]) -> list[Any]:
        """Run a batch; scripts that the server does not know are given to it and run again."""
        answers = await self._pipeline([asked.command for asked in batch])
        unknown = [place for place, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        if unknown:
            for text in {script.text for place in unknown if (script := batch[place].script) is not None}:
                await self._redis.script_load(text)
            again = await self._pipeline([batch[place].command for place in unknown])
            for place, answer in zip(unknown, again, strict=True):
                answers[place] = answer
        return answers

    async def _pipeline(self, commands: list[Command]) -> list[Any]:
        """Do as redis-py's pipeline, which spends as much on each command as the server does."""
        pool = self._redis.connection_pool
        connection = await pool.get_connection()
        try:
            late: list[RedisError] = []
            answers: list[Any] = await connection.retry.call_with_retry(
                lambda: self._exchange(connection, commands), lambda error: _failed(connection, error, late)
            )
            return answers
        finally:
            await pool.release(connection)

    async def _exchange(self, connection: AbstractConnection, commands: list[Command]) -> list[Any]:
        await connection.send_packed_command(connection.pack_commands(commands))
        answers: list[Any] = []
        for command in commands:
            try:
                answer = await connection.read_response()
                read = self._redis.response_callbacks.get(command[0]) if isinstance(command, tuple) else None
                answers.append(answer if read is None else read(answer))
            except ResponseError as error:
                answers.append(error)
        return answers


async def _failed(connection: AbstractConnection, error: RedisError, late: list[RedisError]) -> None:
    """Leave a connection that failed; raise what is not to be tried again. Who is `late` is asked once more."""
    await connection.disconnect()
    if not isinstance(error, tuple(connection.retry_on_error)) or late:
        raise error
    if isinstance(error, TimeoutError):
        late.append(error)


def _answer(future: asyncio.Future[Any], answer: Any) -> None:
    if future.done():
        return
    if isinstance(answer, BaseException):
        future.set_exception(answer)
    else:
        future.set_result(answer)
