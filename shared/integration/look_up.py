"""Names become addresses in threads of our own, so that a slow name server holds up nobody but those who wait for it.

The loop's own look-up has a handful of threads for all names, and waits for them when the program ends.
"""

import asyncio
import socket
import threading
from contextlib import suppress

from aiohttp.abc import ResolveResult

AT_ONCE = 64


class LookUp:
    """Looks names up by the system. `at_once` bounds its threads, those included that nobody waits for any more."""

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._free = asyncio.Semaphore(at_once)

    async def __call__(self, host: str, port: int, family: int) -> list[ResolveResult]:
        """Return the addresses of a name. Raises OSError when there are none."""
        await self._free.acquire()
        loop = asyncio.get_running_loop()
        found: asyncio.Future[list[ResolveResult]] = loop.create_future()

        def end(result: list[ResolveResult] | OSError) -> None:
            self._free.release()
            if found.done():  # nobody waits any more
                return
            if isinstance(result, OSError):
                found.set_exception(result)
            else:
                found.set_result(result)

        def run() -> None:
            result: list[ResolveResult] | OSError
            try:
                result = _addresses(host, port, family)
            except UnicodeError:
                result = OSError("the name cannot be one")
            except OSError as error:
                result = error
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(end, result)

        threading.Thread(target=run, name="look-up", daemon=True).start()
        return await found


def _addresses(host: str, port: int, family: int) -> list[ResolveResult]:
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return [
        ResolveResult(hostname=host, host=str(address[0]), port=port, family=kind, proto=protocol, flags=flags)
        for kind, _, protocol, _, address in socket.getaddrinfo(
            host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
        )
    ]
