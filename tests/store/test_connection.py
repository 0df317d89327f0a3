"""The way to Redis: one exception of ours, an address without secrets."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from redis import exceptions
from redis.asyncio import Connection
from redis.exceptions import ConnectionError  # noqa: A004 - redis' own

from shared.queue.conversation_keys import conversation_keys, packed_keys
from shared.store import keys, packing
from shared.store.batches import Batches
from shared.store.connection import RedisUnreachable, address, connect, reach, translated
from shared.store.pool import told_plainly
from tests.store.conftest import Raw
from tests.store.own_server import OwnServer, answers


async def test_a_server_that_answers_is_reached(redis: Raw) -> None:
    await reach(redis)


async def test_a_server_that_is_away_is_named_without_its_password(tmp_path: Path) -> None:
    client = connect("redis://me:secret@127.0.0.1:1/3", retries=0)
    with pytest.raises(RedisUnreachable, match=r"redis://127\.0\.0\.1:1/3") as error:
        await reach(client)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (exceptions.ResponseError("MISCONF Errors writing to the AOF file: No space left on device"), "disk full"),
        (exceptions.AuthenticationError("WRONGPASS invalid username-password pair"), "refuses the password"),
        (exceptions.BusyLoadingError("LOADING is loading the dataset in memory"), "still loading"),
    ],
)
async def test_a_server_that_answers_and_cannot_be_used_says_why(
    told: Exception, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ping() -> None:
        raise told

    client = connect("redis://127.0.0.1:1", retries=0)
    monkeypatch.setattr(client, "ping", ping)
    with pytest.raises(RedisUnreachable, match=rf"^Redis at redis://127\.0\.0\.1:1/0 cannot be used now .*{words}"):
        await reach(client)
    with pytest.raises(RedisUnreachable, match=words), translated():
        raise told


async def test_commands_to_a_server_that_is_away_raise_our_exception(tmp_path: Path) -> None:
    client = connect(f"unix://{tmp_path}/nobody", retries=1)
    assert address(client) == f"unix://{tmp_path}/nobody?db=0"
    with pytest.raises(RedisUnreachable), translated():
        await client.get("key")


async def test_a_mistake_in_a_command_is_not_taken_for_an_outage(redis: Raw) -> None:
    from redis.exceptions import ResponseError

    with pytest.raises(ResponseError), translated():
        await redis.rename("missing", "other")


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ("-READONLY You can't write against a read only replica.", exceptions.ReadOnlyError),
        ("-OOM command not allowed when used memory > 'maxmemory'.", exceptions.OutOfMemoryError),
        ("-NOREPLICAS Not enough good replicas to write.", exceptions.ResponseError),
        ("-WRONGTYPE Operation against a key", exceptions.ResponseError),
    ],
)
def test_what_redis_6_says_of_a_script_is_read_as_what_its_command_was_told(told: str, kind: type[Exception]) -> None:
    sentence = f"Error running script (call to f_920a07): @user_script:1: @user_script: 1: {told}"
    read = told_plainly(exceptions.ResponseError(sentence))
    assert type(read) is kind
    assert "script" not in str(read)


def test_a_mistake_of_a_script_stays_as_it_was_told() -> None:
    error = exceptions.ResponseError("Error running script: @user_script:3: attempt to index a nil value")
    assert told_plainly(error) is error


async def test_a_server_that_became_a_replica_is_left_and_found_again_when_it_is_the_primary() -> None:
    with tempfile.TemporaryDirectory(prefix="bl-", dir="/tmp") as folder:  # the path of a socket may have 107 bytes
        server = OwnServer(Path(folder), appendonly="no")
        client, other = connect(server.url, retries=0), connect(server.url, retries=5)
        while not await answers(other):
            await asyncio.sleep(0.01)
        before = await client.client_id()
        await other.replicaof("127.0.0.1", "1")
        with pytest.raises(RedisUnreachable), translated():
            await client.register_script("return redis.call('SET', 'a', 1)")()
        await other.replicaof("NO", "ONE")
        assert await client.set("a", 1)
        assert await client.client_id() != before
        await client.aclose()
        await other.aclose()
        server.stop()


@pytest.mark.parametrize("ask", [lambda client: client.get("key"), lambda client: Batches(client).ask(("GET", "key"))])
async def test_a_server_that_accepts_and_never_answers_is_given_up(ask: Callable[[Raw], Awaitable[object]]) -> None:
    """One that is frozen: asking it has to end, though every attempt to connect succeeds."""
    left = asyncio.Event()

    async def hang(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await left.wait()
        writer.close()

    async with await asyncio.start_server(hang, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        client = connect(f"redis://127.0.0.1:{port}", socket_timeout=0.02, retries=2)
        async with asyncio.timeout(20):
            with pytest.raises(RedisUnreachable), translated():
                await ask(client)
        left.set()
        await client.aclose()


async def test_connections_are_made_side_by_side() -> None:
    """While a server is away every attempt takes its time: nobody waits for those of others."""
    arrived = asyncio.Barrier(6)

    async def hang(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await arrived.wait()
        writer.close()

    async with await asyncio.start_server(hang, "127.0.0.1", 0) as server:
        client = connect(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}", retries=0)
        asking = [asyncio.ensure_future(client.get("key")) for _ in range(5)]
        await arrived.wait()
        assert all(
            isinstance(failed, ConnectionError) for failed in await asyncio.gather(*asking, return_exceptions=True)
        )
        await client.aclose()


def test_an_address_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="unix"):
        connect("http://127.0.0.1")


@pytest.mark.parametrize(
    "command", [("SET", "a", b"\xff\r\n", "EX", 5), ("SCRIPT LOAD", "ü"), ("ZADD", b"k", 1.5, ""), ("EVALSHA", "0", 0)]
)
def test_commands_are_packed_as_redis_py_packs_them(command: tuple[Any, ...]) -> None:
    pool = connect("redis://127.0.0.1").connection_pool
    ours = pool.make_connection()  # type: ignore[no-untyped-call]
    theirs = Connection()
    assert b"".join(ours.pack_command(*command)) == b"".join(theirs.pack_command(*command))
    assert b"".join(ours.pack_commands([command, command])) == 2 * b"".join(theirs.pack_command(*command))


@pytest.mark.parametrize("more", [(), ("call:{s0}:x",)])
@pytest.mark.parametrize("arguments", [(), (5, "ü", b"\xff\r\n", 1.5, "")])
def test_a_call_of_a_script_is_packed_as_its_arguments_are(more: tuple[str, ...], arguments: tuple[Any, ...]) -> None:
    conversation_id = keys.new_conversation_id(12)
    script = packing.Script("return 1")
    call = packing.ScriptCall(script, packed_keys(conversation_id), more, arguments)
    names = (*conversation_keys(conversation_id), *more)
    assert call.packed() == packing.command(*call)
    assert tuple(call) == ("EVALSHA", script.sha, len(names), *names, *arguments)
