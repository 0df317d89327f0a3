"""The way an attempt takes: which hosts it may go to, and through which proxy. Asked anew at every redirect.

Without a proxy every address is checked when it is connected to. With one, the proxy looks names up and connects: it
has to keep calls out of inner networks. What can be known here is refused here: inner addresses, other spellings of
numbers, and this machine. The proxy's own address is the operator's word and is not checked.
"""

import ipaddress
import re
from collections.abc import Awaitable, Callable

import msgspec
from yarl import URL

from shared.bot.egress import Egress, Proxy
from shared.integration.addresses import EgressRefused, may_reach, networks
from shared.integration.policy import Ending

_LOCAL = "localhost"
_NUMBER = re.compile(r"(?:^|\.)(?:0[xX][0-9a-fA-F]*|[0-9]+)$")  # how inet_aton tells a number from a name


class NotAllowed(Exception):  # noqa: N818  # a verdict about the address, not a fault of ours
    """The bot may not go to this host. The message says why, without values."""


class ProxyUnusable(Exception):  # noqa: N818  # a state of the world
    """The proxy's user or password cannot be read. The message says why, without values."""


class HeldBack(Exception):  # noqa: N818  # a state of the world
    """A redirect leads to a host that may not be asked now; `ending` says so in place of its answer."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.detail)
        self.ending = ending


class Via(msgspec.Struct, frozen=True):
    """A proxy with what it asks for. `hidden` is what no answer may give back."""

    url: str
    authorization: str = ""
    hidden: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return "Via(...)"


async def _plainly(proxy: Proxy) -> Via:
    if proxy.username or proxy.password:
        raise ProxyUnusable("the user and password of the proxy are not known here")
    return Via(proxy.url)


async def _at_once(_: str) -> None:
    pass


class Ways(msgspec.Struct, frozen=True):
    """The ways of one bot; `opened` reads what its proxies ask for and raises ProxyUnusable.

    `moves` is awaited before each request that follows a redirect, with its address as the bot means it, and may raise
    HeldBack.
    """

    egress: Egress = Egress()
    opened: Callable[[Proxy], Awaitable[Via]] = _plainly
    moves: Callable[[str], Awaitable[None]] = _at_once

    def check(self, url: str) -> None:
        """Raise NotAllowed when the manifest's list has not got the host."""
        if not self.egress.allows(url):
            raise NotAllowed("calls of this bot may not go to this host; see [egress] allow in the manifest")

    async def via(self, url: str) -> Via | None:
        """Return the proxy to take, None to go directly. Raises EgressRefused and ProxyUnusable."""
        proxy = self.egress.proxy(url)
        if proxy is None:
            return None
        if not may_ask_for(URL(url, encoded=True).raw_host or "", self.egress.private):
            raise EgressRefused("calls may not reach this address, through a proxy neither")
        return await self.opened(proxy)


def may_ask_for(host: str, private: tuple[str, ...] = ()) -> bool:
    """Tell whether a proxy may be asked for a host, as far as its name tells."""
    allowed, plain = networks(private), host.rstrip(".").lower()
    if plain == _LOCAL or plain.endswith(f".{_LOCAL}"):
        return any(may_reach(number, allowed) for number in ("127.0.0.1", "::1"))
    try:
        ipaddress.ip_address(plain)
    except ValueError:
        return _NUMBER.search(plain) is None
    return may_reach(plain, allowed)
