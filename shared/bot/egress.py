"""How calls of a bot may leave: to which hosts, into which inner ranges, through which proxies (the manifest)."""

import ipaddress
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import msgspec

from shared.bot.hosts import EVERY, fitting, read_host
from shared.bot.manifest_credentials import Secret
from shared.bot.protection import LimitedPart

DIRECT = "direct"


class EgressPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[egress]`: inner address ranges that calls may reach, and the only hosts that they may go to."""

    private: tuple[str, ...] = ()
    allow: tuple[str, ...] | None = None


class Proxy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`proxy` of a host: the address alone, or this table with what the proxy asks for."""

    url: str
    username: str | Secret = ""
    password: Secret | None = None


class HostPart(LimitedPart, frozen=True):
    """`[hosts."api.example.com"]`: what holds for all calls to a host, and the proxy of this bot's."""

    proxy: str | Proxy | None = None


class Egress(msgspec.Struct, frozen=True):
    """What a bot's calls may do. `allow` None means any host; a host of `proxies` that has None is called directly.

    Names of hosts are as `shared.bot.hosts` reads them.
    """

    private: tuple[str, ...] = ()
    allow: tuple[str, ...] | None = None
    proxies: dict[str, Proxy | None] = {}

    def allows(self, url: str) -> bool:
        """Tell whether calls may go to the host of an address."""
        return self.allow is None or fitting(self.allow, url) is not None

    def proxy(self, url: str) -> Proxy | None:
        """Return the proxy for an address, None to call it directly."""
        name = fitting(self.proxies, url) if self.proxies else None
        return None if name is None else self.proxies[name]


def egress_of(part: EgressPart, hosts: Mapping[str, HostPart]) -> Egress:
    """Return what tables in which `egress_problems` found nothing say."""
    allow = None if part.allow is None else tuple(map(read_host, part.allow))
    proxies = {read_host(name): _proxy(host.proxy) for name, host in hosts.items() if host.proxy is not None}
    return Egress(part.private, allow, proxies)


def egress_problems(part: EgressPart, hosts: Mapping[str, HostPart]) -> Iterator[tuple[str, str, str]]:
    """Yield what cannot be carried out: (key of the manifest, problem, remedy)."""
    for network in part.private:
        try:
            ipaddress.ip_network(network, strict=False)
        except ValueError:
            yield "egress.private", f"{network!r} is no address range", "Write it like 10.0.0.0/8"
    for name in part.allow or ():
        try:
            if read_host(name) == EVERY:
                yield "egress.allow", "'*' allows every host", "Leave allow out: then every host is allowed"
        except ValueError as error:
            yield "egress.allow", str(error), "Name hosts alone, without https:// and path"
    for name, host in hosts.items():
        if host.proxy is not None and (problem := _proxy_problem(_proxy(host.proxy))):
            yield f"hosts.{name}.proxy", problem, 'Write it like "http://proxy.example.com:3128", or "direct"'


def _proxy(written: str | Proxy) -> Proxy | None:
    if isinstance(written, Proxy):
        return written
    return None if written == DIRECT else Proxy(written)


def _proxy_problem(proxy: Proxy | None) -> str:
    if proxy is None:
        return ""
    try:
        parts = urlsplit(proxy.url)
        good = parts.scheme == "http" and parts.hostname and parts.port != 0 and not parts.query and not parts.fragment
    except ValueError:
        good = False
    if not good or parts.path not in {"", "/"}:
        return "it is no address of a proxy"
    if "@" in parts.netloc:
        return "user and password stand in the address: give them as username and password = { env = … }"
    if bool(proxy.username) != (proxy.password is not None):
        return "username and password go together"
    return ""
