"""Which addresses calls may reach, checked on the very address that is connected to.

Only public unicast addresses may be reached, and the inner ranges that a bot's manifest allows. Checking at
connect time, after name resolution, leaves no gap for a name that resolves differently the second time.
"""

import ipaddress
import socket
from collections.abc import Iterable

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.connector import AddrInfoType, TCPConnector

from shared.integration.interim import bounded
from shared.integration.look_up import LookUp

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_CLOSED_V4 = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT, and one cloud's metadata
        "127.0.0.0/8",
        "168.63.129.16/32",  # a public address that is one cloud's inner service
        "169.254.0.0/16",  # link-local, and most clouds' metadata
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
# All public IPv6 is in 2000::/3; loopback, mapped and compatible IPv4, NAT64, local and multicast are outside.
_OPEN_V6 = ipaddress.IPv6Network("2000::/3")
_CLOSED_V6 = tuple(
    ipaddress.IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",
        "2002::/16",  # 6to4 carries an IPv4 address inside
        "3fff::/20",
    )
)


class EgressRefused(OSError):  # noqa: N818  # a verdict about the address, not a fault of the system
    """Calls may not reach this address."""


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Return the ranges a manifest allows (`[egress] private`); raises ValueError for one that is none."""
    return tuple(ipaddress.ip_network(text, strict=False) for text in texts)


def may_reach(address: str, allowed: Iterable[Network] = ()) -> bool:
    """Tell whether calls may reach an address; any spelling but the canonical one is refused."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if any(ip.version == network.version and ip in network for network in allowed):
        return True
    if isinstance(ip, ipaddress.IPv4Address):
        return not any(ip in network for network in _CLOSED_V4)
    return ip in _OPEN_V6 and not any(ip in network for network in _CLOSED_V6)


class GuardedResolver(AbstractResolver):
    """Resolves names by the system, and refuses a name of which one address may not be reached."""

    def __init__(self, allowed: tuple[Network, ...], look_up: LookUp) -> None:
        self._allowed = allowed
        self._look_up = look_up

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a name; raises EgressRefused."""
        found = await self._look_up(host, port, family)
        if not all(may_reach(entry["host"], self._allowed) for entry in found):
            raise EgressRefused("the name has an address that calls may not reach")
        return found

    async def close(self) -> None:
        """Do nothing: a thread that still looks up ends by itself."""


def open_connector() -> TCPConnector:
    """Return a connector to anywhere: for addresses that the operator has written (`--rewrite-url`)."""
    return bounded(TCPConnector(limit=0, force_close=True))


def guarded_connector(allowed: tuple[Network, ...], look_up: LookUp) -> TCPConnector:
    """Return a connector that opens sockets only to addresses that may be reached.

    Connections are not kept: a stale one would break an attempt that must not be made twice, and an attempt is
    one connection, whose address was checked for this bot.
    """

    def checked_socket(address: AddrInfoType) -> socket.socket:
        family, kind, protocol, _, target = address
        if not may_reach(str(target[0]), allowed):
            raise EgressRefused("calls may not reach this address")
        return socket.socket(family, kind, protocol)

    return bounded(
        TCPConnector(
            limit=0,
            force_close=True,
            resolver=GuardedResolver(allowed, look_up),
            socket_factory=checked_socket,
        )
    )
