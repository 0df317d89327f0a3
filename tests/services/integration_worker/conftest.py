"""Servers to call, as fixtures."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from arq.connections import ArqRedis

from tests.ports import free_address
from tests.services.integration_worker.calling import Waiting
from tests.services.integration_worker.misbehaving import Server, serving


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as started:
        yield started


@pytest.fixture
async def other_server() -> AsyncIterator[Server]:
    async with serving() as started:
        yield started


@pytest.fixture
def refusing() -> str:
    """An address where nobody listens."""
    return f"http://{free_address()}"


@pytest.fixture
async def garbage() -> AsyncIterator[str]:
    """A server that does not speak HTTP."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"220 mail.example ESMTP\r\n")
        writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"


@pytest.fixture
def waiting(redis: ArqRedis) -> Waiting:
    """Conversations that wait for calls."""
    return Waiting(redis)
