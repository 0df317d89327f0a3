"""The operations port, over loopback."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest

from services.operations import Check, start_operations
from services.readiness import why_not_ready
from services.settings import SettingsError
from tests.ports import free_address


@asynccontextmanager
async def operations(checks: dict[str, Check]) -> AsyncIterator[Callable[[str], "asyncio.Future[tuple[int, str]]"]]:
    address = free_address()
    runner = await start_operations(address, checks)
    async with aiohttp.ClientSession() as client:

        async def get(path: str) -> tuple[int, str]:
            async with client.get(f"http://{address}{path}") as answer:
                return answer.status, await answer.text()

        try:
            yield lambda path: asyncio.ensure_future(get(path))
        finally:
            await runner.cleanup()


async def fine() -> None:
    return None


async def broken() -> None:
    raise OSError("the address of the database")


async def test_a_program_is_alive_even_when_it_is_not_ready() -> None:
    async with operations({"redis": broken}) as get:
        assert (await get("/healthz"))[0] == 200
        assert await get("/readyz") == (503, '{"ready": false, "failed": ["redis"]}')


async def test_a_check_is_told_what_fails() -> None:
    address = free_address()
    runner = await start_operations(address, {"redis": broken})
    try:
        said = await asyncio.to_thread(why_not_ready, address)
    finally:
        await runner.cleanup()
    assert said.startswith(f'http://{address}/readyz answers 503 {{"ready": false, "failed": ["redis"]}}: mend ')
    assert "BOTLANE_OPS" in await asyncio.to_thread(why_not_ready, address)


async def test_a_program_is_ready_when_every_check_passes() -> None:
    async with operations({"redis": fine, "turn processes": fine}) as get:
        assert (await get("/readyz"))[0] == 200


async def test_metrics_are_served_in_the_format_of_prometheus() -> None:
    async with operations({}) as get:
        status, text = await get("/metrics")
    assert status == 200
    assert "python_info" in text


async def test_an_address_in_use_is_refused_with_the_setting_to_mend() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(SettingsError, match=r"BOTLANE_OPS: 127.0.0.1:.* give another port"):
            await start_operations(f"127.0.0.1:{taken.getsockname()[1]}", {})
