"""One log line and one count for each request: method, route pattern, status, time. No ids, values or tokens."""

import time

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from services.gateway import metrics
from services.gateway.errors import route_of

log = structlog.get_logger()


@web.middleware
async def access_log(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Log a request when it is answered; a stream, when it ends."""
    begun = time.perf_counter()
    status = 499  # the caller left before the answer
    response: web.StreamResponse | None = None
    try:
        response = await handler(request)
        status = response.status
    finally:
        seconds = time.perf_counter() - begun
        route = route_of(request)
        metrics.requests(request.method if route != "unknown" else "", route, status).inc()
        if not (isinstance(response, web.WebSocketResponse) or request.query.get("wait", "0") != "0"):
            metrics.request_seconds(route).observe(seconds)
        if route != "/readyz":  # asked for every few seconds
            log.info("request", method=request.method, route=route, status=status, ms=round(seconds * 1000, 1))
    return response
