"""One log line for each request: method, route pattern, status, time. No ids, addresses, values or tokens."""

import time

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from services.gateway.errors import route_of

log = structlog.get_logger()


@web.middleware
async def access_log(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Log a request when it is answered; a stream, when it ends."""
    begun = time.perf_counter()
    status = 499  # the caller left before the answer
    try:
        response = await handler(request)
        status = response.status
    finally:
        ms = round((time.perf_counter() - begun) * 1000, 1)
        log.info("request", method=request.method, route=route_of(request), status=status, ms=ms)
    return response
