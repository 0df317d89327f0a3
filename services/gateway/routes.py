"""Which address is answered by what."""

from aiohttp import web

from services.gateway.chat_page import get_bots, get_page, get_page_file, get_trace
from services.gateway.consents import get_callback
from services.gateway.conversations import create_conversation, renew_token
from services.gateway.errors import WEB_VIEW_PATH
from services.gateway.form_script import PATH as FORM_SCRIPT_PATH
from services.gateway.form_script import get_form_script
from services.gateway.messages import get_messages, post_message
from services.gateway.openapi import get_openapi
from services.gateway.readiness import get_readyz
from services.gateway.receipts import get_receipt
from services.gateway.stream import open_stream
from services.gateway.webview import go_on, post_web_view
from shared.credentials.consents import CALLBACK


def add_routes(router: web.UrlDispatcher) -> None:
    """Add the routes of design section 6."""
    router.add_post("/v1/bots/{bot}/conversations", create_conversation)
    router.add_post("/v1/conversations/{conversation}/messages", post_message)
    router.add_get("/v1/conversations/{conversation}/messages", get_messages)
    router.add_get("/v1/conversations/{conversation}/stream", open_stream)
    router.add_post("/v1/conversations/{conversation}/token", renew_token)
    router.add_get("/v1/conversations/{conversation}/trace", get_trace)
    router.add_get("/v1/receipts/{receipt}", get_receipt)
    router.add_get("/v1/bots", get_bots)
    router.add_post(WEB_VIEW_PATH, post_web_view, expect_handler=go_on)
    router.add_get(CALLBACK, get_callback, allow_head=False)  # whoever looks first must not use a code up
    router.add_get(FORM_SCRIPT_PATH, get_form_script)
    router.add_get("/", get_page)
    router.add_get("/page/{file}", get_page_file)
    router.add_get("/readyz", get_readyz)
    router.add_get("/openapi.json", get_openapi)
