"""What a caller is told when something cannot be done: one shape on every path, one table of codes and statuses.

    {"error": {"code": "invalid_field", "message": "`text` is missing.", "field": "text"}}

Only this module chooses an HTTP status. Messages name what to mend and never hold what the caller sent.
"""

import http
from collections.abc import Mapping

import msgspec
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from services.gateway import metrics
from services.gateway.wire import Problem, ProblemBody
from shared.store.connection import RedisUnreachable

log = structlog.get_logger()

WEB_VIEW_PATH = "/thirdparty-services-0.1/webview"
_FORMS = "/thirdparty-services-0.1/"
RETRY_SECONDS = 2

STATUSES: Mapping[str, int] = {
    "invalid_json": 400,
    "invalid_field": 400,
    "invalid_request": 400,
    "unauthorized": 401,
    "token_expired": 401,
    "forbidden": 403,
    "token_used": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "closed": 410,
    "too_large": 413,
    "unsupported_media_type": 415,
    "rate_limited": 429,
    "inbox_full": 429,
    "internal": 500,
    "unavailable": 503,
}


class Refused(Exception):  # noqa: N818 - an answer, not a failure
    """A request that cannot be granted: `code` is a key of STATUSES, `retry_after` seconds go into the header."""

    def __init__(
        self, code: str, message: str, *, field: str | None = None, retry_after: int | None = None, allow: str = ""
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
        self.retry_after = retry_after
        self.allow = allow

    @property
    def problem(self) -> Problem:
        """The error as it goes over the wire, in a response or in a frame of a stream."""
        return Problem(self.code, self.message, msgspec.UNSET if self.field is None else self.field)


def gone() -> Refused:
    """Return the answer for a conversation that is not there (any more)."""
    return Refused("not_found", "There is no such conversation: it may have expired. Create a new one.")


def unavailable() -> Refused:
    """Return the answer for the time in which Redis cannot be reached."""
    message = "The service cannot reach its store at the moment: send the request again shortly."
    return Refused("unavailable", message, retry_after=RETRY_SECONDS)


def error_response(refused: Refused, path: str) -> web.Response:
    """Return the response for a refusal, in the shape that the path's contract asks for."""
    metrics.refused(refused.code).inc()
    headers: dict[str, str] = {}
    if refused.retry_after is not None:
        headers["Retry-After"] = str(refused.retry_after)
    if refused.allow:
        headers["Allow"] = refused.allow
    status = STATUSES[refused.code]
    if status == http.HTTPStatus.UNAUTHORIZED and not is_web_view(path):
        headers["WWW-Authenticate"] = "Bearer"
    success = False if is_web_view(path) else msgspec.UNSET
    body = msgspec.json.encode(ProblemBody(refused.problem, success))
    return web.Response(body=body, status=status, content_type="application/json", headers=headers)


def is_web_view(path: str) -> bool:
    """Tell whether forms are answered there: the Web View address, and what is mistaken for it."""
    return path.startswith(_FORMS)


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn whatever a handler raises into the one shape; what nobody foresaw is logged and answered as 500."""
    try:
        return await handler(request)
    except web.HTTPException as found:
        if found.status < http.HTTPStatus.BAD_REQUEST:
            raise
        refused = _from_aiohttp(found)
    except Refused as refusal:
        refused = refusal
    except RedisUnreachable:
        refused = unavailable()
    except Exception:
        log.exception("request failed", route=route_of(request))
        refused = Refused("internal", "The gateway failed on this request. Its log says where.")
    response = error_response(refused, request.path)
    if not request.content.is_eof() or request.content.exception() is not None:
        # The connection may not outlive a body that is not read to its end: say so, or the next request is lost.
        response.force_close()
    return response


def route_of(request: web.Request) -> str:
    """Return the route's pattern (`/v1/conversations/{conversation}/messages`), never the address itself."""
    resource = request.match_info.route.resource
    return "unknown" if resource is None else resource.canonical


def _from_aiohttp(found: web.HTTPException) -> Refused:
    match found:
        case web.HTTPMethodNotAllowed():
            allowed = ", ".join(sorted(found.allowed_methods))
            return Refused("method_not_allowed", f"This address answers {allowed}.", allow=allowed)
        case web.HTTPNotFound():
            return Refused("not_found", "There is nothing at this address: /openapi.json lists what there is.")
        case web.HTTPRequestEntityTooLarge():
            return Refused("too_large", "The body is too large.")
        case _:
            return Refused("invalid_request", f"The request cannot be served: {found.reason}.")
