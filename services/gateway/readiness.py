"""The public /readyz: a bare 200 or 503, since the details are on the operations port."""

from aiohttp import web

from services.gateway.errors import RETRY_SECONDS
from services.gateway.parts import PARTS
from shared.store.connection import RedisUnreachable, reach


async def get_readyz(request: web.Request) -> web.Response:
    """Answer `GET /readyz`: 200 when Redis answers, 503 when it does not."""
    try:
        await reach(request.app[PARTS].redis)
    except RedisUnreachable:
        return web.Response(status=503, headers={"Retry-After": str(RETRY_SECONDS)})
    return web.Response()
