"""What became of a Web View call: told to whoever has its receipt, to programs as JSON and to people as a page.

A receipt is all the leave that is needed: it cannot be guessed, and it tells words and names of interactions only.
"""

import msgspec
from aiohttp import hdrs, web

from services.gateway.bodies import json_response
from services.gateway.errors import Refused
from services.gateway.parts import PARTS, Parts
from services.gateway.receipt_page import receipt_page, refusal_page
from services.gateway.wire import ReceiptReader, ReceiptTold, iso
from shared.queue.receipts import Receipt, read_receipt


async def get_receipt(request: web.Request) -> web.Response:
    """Answer `GET /v1/receipts/{receipt}`; browsers get a page."""
    parts = request.app[PARTS]
    public = request.match_info["receipt"]
    for_people = "text/html" in request.headers.get(hdrs.ACCEPT, "")
    receipt = await read_receipt(parts.redis, public)
    if receipt is None:
        message = "There is no such receipt: it is kept for 24 hours after the call that it was the answer to."
        refused = Refused("not_found", message)
        if for_people:
            return refusal_page(refused, request.path)
        raise refused
    told = await _told(parts, public, receipt)
    if for_people:
        return receipt_page(told, _address(request))
    return json_response(told)


async def _told(parts: Parts, public: str, receipt: Receipt) -> ReceiptTold:
    state = receipt.state
    if state == "accepted" and await parts.mailbox.about(receipt.conversation_id) is None:
        state = "ended"  # it expired with what waited in it
    return ReceiptTold(
        receipt=public,
        state=state,
        accepted_at=iso(receipt.accepted_at),
        applied_at=iso(receipt.since) if state == "applied" else msgspec.UNSET,
        variables=receipt.variables,
        message=receipt.message,
        read_by=[ReceiptReader(name, iso(at)) for name, at in receipt.read_by],
    )


def _address(request: web.Request) -> str:
    """Return the address of this gateway as the caller sees it: a proxy of ours may say that it was asked by https."""
    scheme = request.scheme
    if request.app[PARTS].web_view_limits.through_proxy(request):
        scheme = "https" if request.headers.get("X-Forwarded-Proto", scheme).strip().lower() == "https" else scheme
    return f"{scheme}://{request.host}"
