"""/openapi.json: the routes below, and the Structs of wire.py as JSON schema."""

from typing import Any, NamedTuple

import msgspec
from aiohttp import web

from services.gateway import wire
from services.gateway.errors import STATUSES, WEB_VIEW_PATH
from shared.dialog.trace import TurnTrace

_STRUCTS = (
    wire.ProblemBody,
    wire.ConversationRequest,
    wire.ConversationCreated,
    wire.TokenRenewed,
    wire.MessageRequest,
    wire.MessageAccepted,
    wire.Message,
    wire.MessagePage,
    wire.TokenFrame,
    wire.MessageFrame,
    wire.AckFrame,
    wire.GapFrame,
    wire.ErrorFrame,
    wire.WebViewRequest,
    wire.WebViewTokenRequest,
    wire.WebViewAccepted,
    wire.ReceiptTold,
    wire.BotList,
    wire.TurnList,
    TurnTrace,
)
_STREAM_SUMMARY = (
    "A WebSocket. Subprotocols `botlane.v1` and the token, or a TokenFrame first. The server sends MessageFrame, "
    "AckFrame, GapFrame and ErrorFrame; the client sends MessageRequest. Closed with 4401 when the token ends."
)


class _Route(NamedTuple):
    """One address: `answer` names a Struct, `body` several; `security` is a key of _SECURITY, `refused` are codes."""

    path: str
    method: str
    summary: str
    status: int
    answer: str
    security: str
    refused: tuple[str, ...]
    body: str = ""
    query: tuple[str, ...] = ()


_BODY = ("invalid_json", "invalid_field", "invalid_request", "too_large", "unsupported_media_type")
_OPENED = ("unauthorized", "token_expired", "forbidden", "not_found")
_SHOWN = ("unauthorized", "forbidden", "not_found")
_SAID = (*_BODY, "closed", "inbox_full")
_CREATED = (*_BODY, "unauthorized", "not_found", "rate_limited")
_POSTED = (
    *_BODY,
    "unauthorized",
    "token_expired",
    "token_used",
    "forbidden",
    "not_found",
    "inbox_full",
    "rate_limited",
)
_CREATE = "/v1/bots/{botId}/conversations"
_MESSAGES, _STREAM, _TOKEN, _TRACE = (
    f"/v1/conversations/{{id}}/{part}" for part in ("messages", "stream", "token", "trace")
)
_ROUTES = (
    _Route(
        _CREATE, "post", "Create a conversation", 201, "ConversationCreated", "anybody", _CREATED, "ConversationRequest"
    ),
    _Route(_MESSAGES, "post", "Send a message", 202, "MessageAccepted", "token", (*_OPENED, *_SAID), "MessageRequest"),
    _Route(
        _MESSAGES,
        "get",
        "Read messages",
        200,
        "MessagePage",
        "token",
        (*_OPENED, "invalid_field"),
        query=("after", "wait"),
    ),
    _Route(
        _STREAM,
        "get",
        _STREAM_SUMMARY,
        101,
        "",
        "token",
        (*_OPENED, "invalid_field", "invalid_request"),
        query=("after",),
    ),
    _Route(_TOKEN, "post", "Renew the token", 200, "TokenRenewed", "token", _OPENED),
    _Route(
        WEB_VIEW_PATH,
        "post",
        "Post variables and a message",
        200,
        "WebViewAccepted",
        "checksum",
        _POSTED,
        "WebViewRequest WebViewTokenRequest",
    ),
    _Route(
        "/v1/receipts/{receipt}",
        "get",
        "Read what became of a Web View call (browsers get a page)",
        200,
        "ReceiptTold",
        "receipt",
        ("not_found",),
    ),
    _Route("/v1/bots", "get", "List the bots", 200, "BotList", "console", _SHOWN),
    _Route(
        _TRACE, "get", "Read what turns did", 200, "TurnList", "console", (*_SHOWN, "invalid_field"), query=("after",)
    ),
)
_ALWAYS = ("unavailable",)
_WAITED_FOR = {429, 503}
_QUERY: dict[str, dict[str, Any]] = {
    "after": {"type": "string", "pattern": "^[0-9]{0,15}$"},
    "wait": {"type": "number", "minimum": 0, "maximum": 30},
}
_SECURITY: dict[str, list[dict[str, list[str]]]] = {
    "token": [{"bearer": []}],
    "anybody": [{}, {"bearer": []}],
    "checksum": [{"checksum": []}, {"formToken": []}],
    "receipt": [],
    "console": [{}, {"console": []}],
}
_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "The conversation's token, or a channel key."},
    "checksum": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": 'sha256hex(conversationId + " || " + botId)',
    },
    "formToken": {"type": "http", "scheme": "bearer", "description": "What getWebViewToken() gave."},
    "console": {"type": "apiKey", "in": "header", "name": "X-Botlane-Console"},
}


def describe() -> bytes:
    """Return the OpenAPI 3.1 document as JSON."""
    _, schemas = msgspec.json.schema_components(_STRUCTS, ref_template="#/components/schemas/{name}")
    # What is stored as JSON and not parsed again has no shape of its own.
    schemas["MessagePage"]["properties"]["messages"]["items"] = _ref("Message")
    schemas["MessageFrame"]["properties"]["message"] = _ref("Message")
    schemas["TurnList"]["properties"]["turns"]["items"] = _ref("TurnTrace")
    schemas["TurnTrace"]["properties"]["at"] = {"type": "string"}
    paths: dict[str, dict[str, Any]] = {}
    for route in _ROUTES:
        paths.setdefault(route.path, {})[route.method] = _operation(route)
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Botlane gateway", "version": "1"},
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": _SCHEMES},
    }
    return msgspec.json.encode(document)


def _operation(route: _Route) -> dict[str, Any]:
    done = _content(route.answer, "Done") if route.answer else {"description": "Done"}
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in ("botId", "id", "receipt")
        if f"{{{name}}}" in route.path
    ]
    parameters += [{"name": name, "in": "query", "schema": _QUERY[name]} for name in route.query]
    operation = {
        "summary": route.summary,
        "security": _SECURITY[route.security],
        "parameters": parameters,
        "responses": {str(route.status): done, **_refusals((*route.refused, *_ALWAYS))},
    }
    return operation | ({"requestBody": _content(route.body, None)} if route.body else {})


def _refusals(codes: tuple[str, ...]) -> dict[str, Any]:
    """Return the answers with these error codes, by status."""
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(STATUSES[code], []).append(code)
    answers: dict[str, Any] = {}
    for status, named in sorted(by_status.items()):
        answers[str(status)] = _content("ProblemBody", f"Refused: {', '.join(named)}")
        if status in _WAITED_FOR:
            answers[str(status)]["headers"] = {
                "Retry-After": {"required": True, "schema": {"type": "string", "pattern": "^[0-9]+$"}}
            }
    return answers


def _content(schema: str, description: str | None) -> dict[str, Any]:
    refs = [_ref(name) for name in schema.split()]
    shape = refs[0] if len(refs) == 1 else {"anyOf": refs}
    content: dict[str, Any] = {"content": {"application/json": {"schema": shape}}}
    return content if description is None else content | {"description": description}


def _ref(schema: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{schema}"}


_DOCUMENT = describe()


async def get_openapi(_request: web.Request) -> web.Response:
    """Answer `GET /openapi.json`."""
    return web.Response(body=_DOCUMENT, content_type="application/json")
