"""Ports for programs that are told where to listen: no two tests of one run ever get the same one."""

import contextlib
import itertools
import os
import socket

FIRST, PER_WORKER = 10_000, 600
"""Below the range of `botlane run`, and of the system's own choices, which any outgoing connection may take."""
_numbers = itertools.count(os.getpid())  # another run of the tests on this machine begins elsewhere


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on, another one each time, also between parallel test processes."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))  # noqa: TID251 - pytest's own variable
    first = FIRST + worker % 8 * PER_WORKER
    for _ in range(PER_WORKER):
        port = first + next(_numbers) % PER_WORKER
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError(f"no port from {first} to {first + PER_WORKER - 1} is free")


def free_address() -> str:
    """Return `127.0.0.1:PORT` of such a port."""
    return f"127.0.0.1:{free_port()}"
