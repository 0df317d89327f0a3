"""The time that other programs of a busy machine took from this one and its server: no promise can count it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import redis

_NAP = 0.01
_NORMAL = 0.005  # a nap is always a little longer than it was asked to be


class Stolen:
    """`seconds` grows while this process, or its server, would run and may not. A loop that blocks itself does not count."""

    def __init__(self, server: redis.Redis) -> None:
        self.seconds = 0.0
        self._server = server
        self._ended = threading.Event()

    def _watch(self) -> None:
        while not self._ended.is_set():
            began, used = time.monotonic(), time.process_time()
            time.sleep(_NAP)
            self._server.ping()
            late = time.monotonic() - began - _NAP - (time.process_time() - used)
            if late > _NORMAL:
                self.seconds += late


@contextmanager
def watching(url: str) -> Iterator[Stolen]:
    """Watch as long as the block runs; `url` is the server's."""
    server = redis.Redis.from_url(url)
    stolen = Stolen(server)
    thread = threading.Thread(target=stolen._watch)
    thread.start()
    try:
        yield stolen
    finally:
        stolen._ended.set()
        thread.join()
        server.close()
