"""/openapi.json: whole, and true to what is served."""

from typing import Any

import jsonschema
from aiohttp import web

from tests.services.gateway.loopback import Gateway, StartConversation

UNDESCRIBED = {"/", "/v1/credentials/callback", "/page/{file}", "/readyz", "/openapi.json", "/webview.js"}


async def document(gateway: Gateway) -> dict[str, Any]:
    async with gateway.client.get("/openapi.json") as answer:
        assert answer.status == 200
        assert answer.content_type == "application/json"
        return await answer.json()  # type: ignore[no-any-return]


def references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [found for value in node.values() for found in references(value)]
    return [found for value in node for found in references(value)] if isinstance(node, list) else []


async def test_every_reference_leads_somewhere(gateway: Gateway) -> None:
    described = await document(gateway)
    assert described["openapi"].startswith("3.1")
    for reference in references(described):
        assert reference.rpartition("/")[2] in described["components"]["schemas"]


async def test_every_route_is_described(gateway: Gateway) -> None:
    described = {
        (path.replace("{botId}", "{bot}").replace("{id}", "{conversation}"), method.upper())
        for path, operations in (await document(gateway))["paths"].items()
        for method in operations
    }
    served = {
        (route.resource.canonical, route.method)
        for route in gateway.runner.app.router.routes()
        if isinstance(route, web.ResourceRoute) and route.resource is not None and route.method != "HEAD"
    }
    assert described == {route for route in served if route[0] not in UNDESCRIBED}


async def test_answers_have_the_described_shape(gateway: Gateway, conversation: StartConversation) -> None:
    schemas = (await document(gateway))["components"]["schemas"]
    made = await conversation()
    accepted = await made.say("hi", id="m-1")
    await made.reply({"from": "bot", "type": "text", "text": "hello"})
    page = await made.read()
    async with gateway.client.get("/nothing") as answer:
        failure = await answer.json()
    for name, value in (("MessageAccepted", accepted), ("MessagePage", page), ("ProblemBody", failure)):
        schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": schemas}}
        jsonschema.validate(value, schema)
