"""Interim answers (1xx): a few are waited out, as HTTP says; a flood of them is no answer.

aiohttp reads any number of them, as fast as they come, and one attempt would take all of a worker's time.
"""

import functools

from aiohttp import http
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import TCPConnector
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.streams import StreamReader

MOST = 20


class _Protocol(ResponseHandler):
    """One connection, of which one answer is read."""

    _interim = 0

    def feed_data(self, data: tuple[http.RawResponseMessage, StreamReader], size: int = 0) -> None:
        """Take an answer that was parsed."""
        self._interim += data[0].code < 200
        if self._interim <= MOST:
            super().feed_data(data, size)
        elif self.transport is not None and not self.transport.is_closing():
            self.transport.abort()
            self.set_exception(HttpProcessingError(message="too many interim answers"))


def bounded(connector: TCPConnector) -> TCPConnector:
    """Return the connector; its connections end at the first interim answer too many."""
    factory = functools.partial(_Protocol, loop=connector._loop)  # noqa: SLF001 - see below
    connector._factory = factory  # type: ignore[assignment]  # noqa: SLF001 - there is no setting for it
    return connector
