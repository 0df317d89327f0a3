"""The public port: who listens, what is said when it is taken, and what a caller hears who speaks no HTTP."""

import asyncio
import errno
import http
import logging
from contextlib import suppress
from typing import Any

import structlog
from aiohttp import hdrs, web
from aiohttp.http_exceptions import LineTooLong
from aiohttp.http_parser import RawRequestMessage

from services.gateway.cross_origin import ALWAYS
from services.gateway.errors import WEB_VIEW_PATH, Refused, error_response
from services.settings import SettingsError

log = structlog.get_logger()

IDLE_SECONDS = 75.0
"""How long a connection may take to send its next request, headers included: longer than balancers keep theirs."""
LINE_BYTES = 8190
MOST_HEADERS = 128
LAST_SECONDS = 1.0
"""For so long the rest of what could not be read is dropped: a connection that closes at once loses its answer."""
_PAUSE = 0.02

_NO_LOG = logging.getLogger("services.gateway.silent")  # access_log.py writes the lines
_NO_LOG.disabled = True


async def listen(runner: web.AppRunner, host: str, port: int) -> None:
    """Accept connections for a runner that is set up. Raises SettingsError when the address cannot be used."""
    try:
        await _Site(runner, host, port).start()
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        reason = "is in use by another program" if taken else f"cannot be used ({error.strerror})"
        remedy = "stop that program, or set BOTLANE_PORT" if taken else "set BOTLANE_HOST or BOTLANE_PORT"
        raise SettingsError(f"Port {port} on {host} {reason}: {remedy}.") from error


class _LastAnswer(web.Response):
    """An answer after which the caller is told that nothing more comes, and has time to read it."""

    async def write_eof(self, data: bytes = b"") -> None:
        transport = None if self._req is None else self._req.transport
        await super().write_eof(data)
        if transport is None or transport.is_closing():
            return
        with suppress(TimeoutError, OSError):
            transport.write_eof()
            async with asyncio.timeout(LAST_SECONDS):
                while not transport.is_closing():  # noqa: ASYNC110 - a transport tells nobody when it closes
                    await asyncio.sleep(_PAUSE)


class _Protocol(web.RequestHandler):
    """One connection. What cannot be parsed reaches no middleware, so its answer is made here.

    Nobody knows which address it was for, and from which page: it has the shape that forms know, which is that of all
    others and a field more, and any page may read it, since it says the same to everybody.
    """

    __slots__ = ()

    def data_received(self, data: bytes) -> None:
        """Take what arrives. A body whose next chunk is broken ends at once: the parser tells it nothing of that."""
        super().data_received(data)
        reading = self._current_request
        if reading is not None and self._messages and not isinstance(self._messages[-1][0], RawRequestMessage):
            reading.content.set_exception(web.RequestPayloadError("a chunk is broken"))

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = http.HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - repeats what was sent
    ) -> web.StreamResponse:
        """Answer in the one shape and close the connection."""
        if request.writer.output_size > 0:
            raise ConnectionError("a part of another answer was sent already")
        if status == http.HTTPStatus.INTERNAL_SERVER_ERROR:
            log.error("request failed", exc_info=exc)
            refused = Refused("internal", "The gateway failed on this request. Its log says where.")
        else:
            refused = Refused("invalid_request", _unreadable(exc))
        made = error_response(refused, WEB_VIEW_PATH)
        response = _LastAnswer(body=made.body, status=made.status, headers=made.headers)
        response.headers.update(ALWAYS)
        response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = "*"
        response.force_close()
        self.close()  # what still arrives is dropped
        return response

    def log_exception(self, *args: Any, **kwargs: Any) -> None:
        """Leave out what a caller can cause: a body that breaks while the rest of it is read and dropped."""
        if not isinstance(kwargs.get("exc_info"), web.RequestPayloadError):
            super().log_exception(*args, **kwargs)


def _unreadable(error: BaseException | None) -> str:
    """Say what is wrong with a request that cannot be parsed, and repeat nothing of it."""
    match error:
        case LineTooLong():
            return f"The address, or a header, is longer than {LINE_BYTES:,} bytes: send less there."
        case _:
            return (
                "This is no HTTP request: its first line, a header or a chunk of its body cannot be read, "
                f"or it has more than {MOST_HEADERS} headers."
            )


class _Site(web.BaseSite):
    """A port whose connections are `_Protocol`."""

    __slots__ = ("_host", "_port")

    def __init__(self, runner: web.AppRunner, host: str, port: int) -> None:
        super().__init__(runner)
        self._host = host
        self._port = port

    @property
    def name(self) -> str:
        """The address, as aiohttp shows it."""
        return f"http://{self._host}:{self._port}"

    async def start(self) -> None:
        """Begin to accept connections."""
        await super().start()
        loop = asyncio.get_running_loop()
        manager = self._runner.server
        if manager is None:
            raise RuntimeError("the runner is not set up")
        self._server = await loop.create_server(
            lambda: _Protocol(
                manager,
                loop=loop,
                access_log=_NO_LOG,
                keepalive_timeout=IDLE_SECONDS,
                auto_decompress=False,  # bodies.py does it, within limits: what nobody wants would be unpacked, too
                max_line_size=LINE_BYTES,
                max_field_size=LINE_BYTES,
                max_headers=MOST_HEADERS,
            ),
            self._host,
            self._port,
            backlog=1024,
        )
