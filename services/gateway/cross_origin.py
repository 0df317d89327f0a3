"""Which pages of other web sites may call: for Web View any, unless origins are listed; for /v1 those listed.

Headers are set on every answer, errors included, so that a page can read what was wrong.
"""

import re

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from services.gateway.errors import WEB_VIEW_PATH, Refused, is_web_view
from services.gateway.parts import PARTS
from services.gateway.web_view_limits import foreign_origin

RECEIPTS = "/v1/receipts/"
_HEADERS = "Authorization, Content-Type"
_KEEP_SECONDS = "600"
_NAMES = re.compile(r"[\w!#$%&'*+.^`|~, -]{1,1000}", re.ASCII)

ALWAYS = {hdrs.SERVER: "botlane", hdrs.X_CONTENT_TYPE_OPTIONS: "nosniff", "Referrer-Policy": "no-referrer"}
"""Headers of every answer, also to what is no HTTP."""


@web.middleware
async def preflight(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer the browser's question whether a page may call; anything else goes on."""
    if request.method != hdrs.METH_OPTIONS or hdrs.ACCESS_CONTROL_REQUEST_METHOD not in request.headers:
        return await handler(request)
    if not _allowed(request):
        raise foreign_origin() if _is_of_forms(request) else _foreign()
    return web.Response(
        status=204,
        headers={
            hdrs.ACCESS_CONTROL_ALLOW_METHODS: "POST" if request.path == WEB_VIEW_PATH else "GET, POST",
            hdrs.ACCESS_CONTROL_ALLOW_HEADERS: _headers_for(request),
            hdrs.ACCESS_CONTROL_MAX_AGE: _KEEP_SECONDS,
        },
    )


async def set_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Say on every answer who may read it, and that browsers shall not guess its type or pass on its address."""
    response.headers.update(ALWAYS)
    if _is_of_forms(request) and request.app[PARTS].web_view_limits.allows_any_origin():
        response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = "*"
        response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = "Retry-After"
    elif _is_of_forms(request) or request.path.startswith("/v1/"):
        response.headers[hdrs.VARY] = "Origin"
        if hdrs.ORIGIN in request.headers and _allowed(request):
            response.headers[hdrs.ACCESS_CONTROL_ALLOW_ORIGIN] = request.headers[hdrs.ORIGIN]
            response.headers[hdrs.ACCESS_CONTROL_EXPOSE_HEADERS] = "Retry-After"
            if is_web_view(request.path):  # a page that is listed may send cookies, which nobody reads here
                response.headers[hdrs.ACCESS_CONTROL_ALLOW_CREDENTIALS] = "true"


def refuse_foreign_pages(request: web.Request) -> None:
    """Refuse a WebSocket of another site's page: browsers ask no leave for one. Programs send no Origin."""
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is None or _allowed(request):
        return
    if origin.partition("://")[2].lower() != request.host.lower():  # the scheme may be that of a proxy
        raise _foreign()


def _is_of_forms(request: web.Request) -> bool:
    """Tell whether the address is for forms: any page may call it, unless the origins of forms are listed."""
    return is_web_view(request.path) or request.path.startswith(RECEIPTS)


def _headers_for(request: web.Request) -> str:
    """Return the headers that a page may send: of a form all it asks for, since libraries add some of their own."""
    asked = request.headers.get(hdrs.ACCESS_CONTROL_REQUEST_HEADERS, "")
    return asked if is_web_view(request.path) and _NAMES.fullmatch(asked) else _HEADERS


def _foreign() -> Refused:
    return Refused("forbidden", "Pages of this origin may not call: add the origin to BOTLANE_CORS_ORIGINS.")


def _allowed(request: web.Request) -> bool:
    origin = request.headers.get(hdrs.ORIGIN)
    if _is_of_forms(request):
        return request.app[PARTS].web_view_limits.allows_origin(origin)
    listed = request.app[PARTS].settings.cors_origins
    return origin is not None and request.path.startswith("/v1/") and (origin in listed or "*" in listed)
