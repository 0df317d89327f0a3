"""Serves the form page of the web-view example and tells it where the gateway is."""

from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

FOLDER = Path(__file__).with_name("form")
GATEWAY_URL = web.AppKey("gateway_url", str)


def build_app(gateway_url: str) -> web.Application:
    """Return the app. `gateway_url` is where browsers reach the gateway, such as `http://127.0.0.1:8080`."""
    app = web.Application()
    app[GATEWAY_URL] = gateway_url.rstrip("/")
    app.router.add_get("/", _page)
    app.router.add_get("/config.json", _config)
    app.router.add_static("/form", FOLDER)
    return app


async def _page(request: web.Request) -> web.StreamResponse:
    gateway = urlsplit(request.app[GATEWAY_URL])
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        f"connect-src 'self' {gateway.scheme}://{gateway.netloc}; base-uri 'none'; form-action 'none'"
    )
    # The address of the page names a conversation: it must not travel on to other sites.
    headers = {"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
    return web.FileResponse(FOLDER / "index.html", headers=headers)


async def _config(request: web.Request) -> web.Response:
    return web.json_response({"gatewayUrl": request.app[GATEWAY_URL]})
