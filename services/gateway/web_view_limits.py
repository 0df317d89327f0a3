"""Who may post to the Web View address, and how often: origins of pages, addresses, calls a minute.

Each refusal names its limit and the setting that moves it. Counting is Redis' (shared/queue/take.lua and ingest.lua),
so that all gateways count together, on one clock.
"""

import math

from aiohttp import hdrs, web

from services.gateway.errors import Refused
from services.gateway.limits import Address, Network, caller, counted_as, networks
from services.settings import Settings
from shared.queue.mailbox import Mailbox


class WebViewLimits:
    """Checks one installation's limits. Raises SettingsError for addresses that are none."""

    def __init__(self, settings: Settings, trusted_proxies: tuple[Network, ...], mailbox: Mailbox) -> None:
        self.rate = settings.web_view_rate
        self._address_rate = settings.web_view_address_rate
        self._origins = frozenset(settings.web_view_origins)
        self._addresses = networks(settings.web_view_addresses, "BOTLANE_WEB_VIEW_ADDRESSES")
        self._trusted = trusted_proxies
        self._mailbox = mailbox

    def allows_any_origin(self) -> bool:
        """Tell whether pages of every site may post."""
        return "*" in self._origins

    def allows_origin(self, origin: str | None) -> bool:
        """Tell whether pages of this origin may post; programs that are no browsers name none."""
        return origin is None or "*" in self._origins or origin in self._origins

    def check_caller(self, request: web.Request) -> None:
        """Raise Refused (403) for the page of an origin, or for an address, that is not listed."""
        if not self.allows_origin(request.headers.get(hdrs.ORIGIN)):
            raise foreign_origin()
        if self._addresses:
            address = self._caller(request)
            if address is None or not any(address in network for network in self._addresses):
                message = "This address may not post: add it, or its range, to BOTLANE_WEB_VIEW_ADDRESSES."
                raise Refused("forbidden", message)

    async def count_address(self, request: web.Request) -> None:
        """Count a call of this address, whatever becomes of it. Raises Refused (429) beyond the rate."""
        wait = await self._mailbox.take(counted_as(self._caller(request)), self._address_rate)
        if wait:
            raise _too_often("address", self._address_rate, "BOTLANE_WEB_VIEW_ADDRESS_RATE", wait)

    def conversation_too_often(self, wait_ms: int) -> Refused:
        """Return the answer for a conversation that has had its calls of this minute."""
        return _too_often("conversation", self.rate, "BOTLANE_WEB_VIEW_RATE", wait_ms)

    def through_proxy(self, request: web.Request) -> bool:
        """Tell whether a trusted proxy passed the request on: what it says of it is believed."""
        peer = caller(request.remote, [], ())
        return peer is not None and any(peer in network for network in self._trusted)

    def _caller(self, request: web.Request) -> Address | None:
        return caller(request.remote, request.headers.getall("X-Forwarded-For", []), self._trusted)


def foreign_origin() -> Refused:
    """Return the answer for a page of an origin that is not listed."""
    return Refused("forbidden", "Pages of this origin may not post: add the origin to BOTLANE_WEB_VIEW_ORIGINS.")


def _too_often(whose: str, rate: int, setting: str, wait_ms: int) -> Refused:
    seconds = math.ceil(wait_ms / 1000)
    message = (
        f"This {whose} has had its {rate} Web View calls a minute: send this one again in {seconds} s. "
        f"{setting} raises the limit."
    )
    return Refused("rate_limited", message, retry_after=seconds)
