"""Servers that are written for a loop, beside a test that has none: each has a thread."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import TypeVar

T = TypeVar("T")


@contextmanager
def beside(serving: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """Run what serves in a thread with a loop of its own; give what it gives."""
    given: list[T] = []
    there, loop = threading.Event(), asyncio.new_event_loop()
    over = asyncio.Event()

    async def serve() -> None:
        async with serving as found:
            given.append(found)
            there.set()
            await over.wait()

    def run() -> None:
        try:
            loop.run_until_complete(serve())
        finally:
            there.set()
            loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    there.wait()
    try:
        yield given[0]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
