"""How many conversations one address may create in a minute, and which address that is behind proxies.

The count is kept per gateway process: with N gateways behind one balancer an address gets up to N times the rate.
"""

import ipaddress
import re
import time
from collections.abc import Callable, Iterable

from services.settings import SettingsError

_WINDOW = 60.0
_MOST_ADDRESSES = 50_000
_WITH_PORT = re.compile(r"(?:\[(?P<six>[^\]]+)\]|(?P<four>[0-9.]+))(?::[0-9]{1,5})?", re.ASCII)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def networks(listed: Iterable[str], setting: str = "BOTLANE_TRUSTED_PROXIES") -> tuple[Network, ...]:
    """Return the addresses and ranges that a setting lists. Raises SettingsError for what is neither."""
    try:
        return tuple(ipaddress.ip_network(item, strict=False) for item in listed)
    except ValueError as error:
        message = f"{setting} must hold addresses or ranges such as 10.0.0.0/8, separated by commas."
        raise SettingsError(message) from error


def caller(peer: str | None, forwarded_for: Iterable[str], trusted: tuple[Network, ...]) -> Address | None:
    """Return who called: the peer or, when that is a trusted proxy, the last address in X-Forwarded-For that is not.

    What stands left of an address that is not trusted may be invented, so reading goes from right to left.
    """
    found = _address(peer or "")
    listed = [item for header in forwarded_for for item in header.split(",")]
    while listed and found is not None and any(found in network for network in trusted):
        nearer = _address(listed.pop())
        if nearer is None:
            break
        found = nearer
    return found


def counted_as(address: Address | None) -> str:
    """Return the name under which a caller is counted: an IPv6 one as its /64, since one machine owns all of it."""
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def caller_address(peer: str | None, forwarded_for: Iterable[str], trusted: tuple[Network, ...]) -> str:
    """Return under which name a caller is counted."""
    return counted_as(caller(peer, forwarded_for, trusted))


def _address(text: str) -> Address | None:
    """Return an address as proxies write it: perhaps in quotes, in brackets, with a port behind it."""
    text = text.strip().strip('"').strip()
    if with_port := _WITH_PORT.fullmatch(text):
        text = with_port["six"] or with_port["four"]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return address if mapped is None else mapped


class RateLimit:
    """A bucket for each address: `rate` at once, refilled evenly over a minute."""

    def __init__(self, rate: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, address: str) -> float:
        """Take one and return 0.0, or return how many seconds to wait for the next."""
        now = self._clock()
        left, since = self._buckets.get(address, (float(self._rate), now))
        left = min(float(self._rate), left + (now - since) * self._rate / _WINDOW)
        if left < 1:
            return (1 - left) * _WINDOW / self._rate
        if len(self._buckets) >= _MOST_ADDRESSES:
            self._forget(now)
        self._buckets[address] = (left - 1, now)
        return 0.0

    def _forget(self, now: float) -> None:
        """Drop the buckets that are full again; when that is not enough, the older half."""
        self._buckets = {key: kept for key, kept in self._buckets.items() if now - kept[1] < _WINDOW}
        if len(self._buckets) >= _MOST_ADDRESSES:
            newest = sorted(self._buckets.items(), key=lambda item: item[1][1])[_MOST_ADDRESSES // 2 :]
            self._buckets = dict(newest)
