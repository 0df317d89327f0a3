"""/openapi.json: the routes below, and the Structs of wire.py as JSON schema."""

from typing import Any, NamedTuple

import msgspec
from aiohttp import web

from services.gateway import wire
from services.gateway.errors import WEB_VIEW_PATH
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
    wire.WebViewAccepted,
    wire.BotList,
    wire.TurnList,
    TurnTrace,
)
_STREAM_SUMMARY = (
    "A WebSocket. Subprotocols `botlane.v1` and the token, or a TokenFrame first. The server sends MessageFrame, "
    "AckFrame, GapFrame and ErrorFrame; the client sends MessageRequest. Closed with 4401 when the token ends."
)


class _Route(NamedTuple):
    """One address: `body` and `answer` name Structs, `security` is a key of _SECURITY."""

    path: str
    method: str
    summary: str
    status: int
    answer: str
    security: str
    body: str = ""
    query: tuple[str, ...] = ()


_CREATE = "/v1/bots/{botId}/conversations"
_MESSAGES, _STREAM, _TOKEN, _TRACE = (
    f"/v1/conversations/{{id}}/{part}" for part in ("messages", "stream", "token", "trace")
)
_ROUTES = (
    _Route(_CREATE, "post", "Create a conversation", 201, "ConversationCreated", "anybody", "ConversationRequest"),
    _Route(_MESSAGES, "post", "Send a message", 202, "MessageAccepted", "token", "MessageRequest"),
    _Route(_MESSAGES, "get", "Read messages", 200, "MessagePage", "token", query=("after", "wait")),
    _Route(_STREAM, "get", _STREAM_SUMMARY, 101, "", "token", query=("after",)),
    _Route(_TOKEN, "post", "Renew the token", 200, "TokenRenewed", "token"),
    _Route(WEB_VIEW_PATH, "post", "Post variables and a message", 200, "WebViewAccepted", "checksum", "WebViewRequest"),
    _Route("/v1/bots", "get", "List the bots", 200, "BotList", "console"),
    _Route(_TRACE, "get", "Read what turns did", 200, "TurnList", "console", query=("after",)),
)
_SECURITY: dict[str, list[dict[str, list[str]]]] = {
    "token": [{"bearer": []}],
    "anybody": [{}, {"bearer": []}],
    "checksum": [{"checksum": []}],
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
    "console": {"type": "apiKey", "in": "header", "name": "X-Botlane-Console"},
}


def describe() -> bytes:
    """Return the OpenAPI 3.1 document as JSON."""
    _, schemas = msgspec.json.schema_components(_STRUCTS, ref_template="#/components/schemas/{name}")
    # What is stored as JSON and not parsed again has no shape of its own.
    schemas["MessagePage"]["properties"]["messages"]["items"] = _ref("Message")
    schemas["MessageFrame"]["properties"]["message"] = _ref("Message")
    schemas["TurnList"]["properties"]["turns"]["items"] = _ref("TurnTrace")
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
        for name in ("botId", "id")
        if f"{{{name}}}" in route.path
    ]
    parameters += [
        {"name": name, "in": "query", "schema": {"type": "number" if name == "wait" else "string"}}
        for name in route.query
    ]
    operation = {
        "summary": route.summary,
        "security": _SECURITY[route.security],
        "parameters": parameters,
        "responses": {str(route.status): done, "default": _content("ProblemBody", "Refused")},
    }
    return operation | ({"requestBody": _content(route.body, None)} if route.body else {})


def _content(schema: str, description: str | None) -> dict[str, Any]:
    content: dict[str, Any] = {"content": {"application/json": {"schema": _ref(schema)}}}
    return content if description is None else content | {"description": description}


def _ref(schema: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{schema}"}


_DOCUMENT = describe()


async def get_openapi(_request: web.Request) -> web.Response:
    """Answer `GET /openapi.json`."""
    return web.Response(body=_DOCUMENT, content_type="application/json")
