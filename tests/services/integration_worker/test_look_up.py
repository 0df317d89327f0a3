"""Names become addresses without holding anybody up."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvloop

from shared.integration.look_up import LookUp


class SlowNames:
    """A system whose look-ups of `slow…` end when they are released."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.asked = 0

    def __call__(self, host: str, port: int, **_: Any) -> list[Any]:
        self.asked += 1
        if host.startswith("slow"):
            self.released.wait(100)
        if host == "none":
            raise socket.gaierror(-2, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", port))]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowNames]:
    slow = SlowNames()
    monkeypatch.setattr(socket, "getaddrinfo", slow)
    yield slow
    slow.released.set()


async def test_a_name_has_its_addresses(names: SlowNames) -> None:
    (found,) = await LookUp()("shop.example", 443, socket.AF_UNSPEC)
    assert (found["hostname"], found["host"], found["port"]) == ("shop.example", "192.0.2.1", 443)


async def test_a_name_without_addresses_is_an_error(names: SlowNames) -> None:
    with pytest.raises(socket.gaierror):
        await LookUp()("none", 443, socket.AF_UNSPEC)


async def test_a_name_that_cannot_be_one_is_an_error() -> None:
    with pytest.raises(OSError):
        await LookUp()(f"{'x' * 70}.example", 443, socket.AF_UNSPEC)


def test_slow_names_hold_up_no_others_on_the_loop_of_the_programs(names: SlowNames) -> None:
    async def look_up() -> None:
        ask = LookUp()
        slow = [asyncio.create_task(ask(f"slow{n}", 80, 0)) for n in range(40)]
        while names.asked < len(slow):
            await asyncio.sleep(0.001)
        assert await ask("fast", 80, 0)
        names.released.set()
        assert all(await asyncio.gather(*slow))

    uvloop.run(look_up())


async def test_threads_are_bounded_even_when_nobody_waits_for_them_any_more(names: SlowNames) -> None:
    ask = LookUp(at_once=2)
    for n in range(2):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ask(f"slow{n}", 80, 0), 0.01)
    third = asyncio.create_task(ask("fast", 80, 0))
    while names.asked < 2:  # a thread may be begun after who wanted it has given up
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.01)
    assert (third.done(), names.asked) == (False, 2)
    names.released.set()
    assert await third
