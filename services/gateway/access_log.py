"""One log line and one count for each request: method, route pattern, status, time. No ids, values or tokens."""

import time

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import Counter

from services.gateway.errors import route_of

log = structlog.get_logger()
REQUESTS = Counter("botlane_gateway_requests", "Requests answered", ["method", "route", "status"])


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
        route = route_of(request)
        REQUESTS.labels(request.method if route != "unknown" else "", route, str(status)).inc()
        if route != "/readyz":  # asked for every few seconds
            log.info("request", method=request.method, route=route, status=status, ms=ms)
    return response
