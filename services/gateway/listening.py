"""The public port: who listens, what is said when it is taken, and what a caller hears who speaks no HTTP."""

import asyncio
import errno
import http
import logging
from typing import Any

import structlog
from aiohttp import web

from services.gateway.cross_origin import ALWAYS
from services.gateway.errors import Refused, error_response
from services.settings import SettingsError

log = structlog.get_logger()

IDLE_SECONDS = 75.0
"""How long a connection may take to send its next request, headers included: longer than balancers keep theirs."""

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


class _Protocol(web.RequestHandler):
    """One connection. What cannot be parsed reaches no middleware, so its answer is made here."""

    __slots__ = ()

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
            problem = (
                "This is no HTTP request, its address or headers are too long, or its body is neither gzip nor deflate."
            )
            refused = Refused("invalid_request", problem)
        response = error_response(refused, "")
        response.force_close()
        response.headers.update(ALWAYS)
        return response

    def log_exception(self, *args: Any, **kwargs: Any) -> None:
        """Leave out what a caller can cause: a body that breaks while the rest of it is read and dropped."""
        if not isinstance(kwargs.get("exc_info"), web.RequestPayloadError):
            super().log_exception(*args, **kwargs)


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
            lambda: _Protocol(manager, loop=loop, access_log=_NO_LOG, keepalive_timeout=IDLE_SECONDS),
            self._host,
            self._port,
            backlog=1024,
        )
