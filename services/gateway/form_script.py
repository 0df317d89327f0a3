"""The script that a form loads with one line: it may stand on any page, and holds nothing that is not public."""

from pathlib import Path

from aiohttp import hdrs, web

PATH = "/webview.js"
_FILE = Path(__file__).with_name("webview.js")
_HEADERS = {
    hdrs.CONTENT_TYPE: "text/javascript; charset=utf-8",
    hdrs.CACHE_CONTROL: "public, max-age=300",
    hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


async def get_form_script(_request: web.Request) -> web.FileResponse:
    """Answer `GET /webview.js`."""
    return web.FileResponse(_FILE, headers=_HEADERS)
