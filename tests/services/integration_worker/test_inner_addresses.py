"""Names and redirects that lead into the inside: refused when the socket is opened, whatever was looked up before."""

import socket
from collections.abc import Callable
from typing import Any

import pytest

from shared.bot.egress import Egress
from shared.bot.integration import Policy
from shared.integration.addresses import GuardedResolver
from shared.integration.client import Answer, OutboundClient
from shared.integration.policy import Ending
from shared.integration.request import Request
from shared.integration.ways import Ways
from tests.services.integration_worker.misbehaving import LOOPBACK, Server

NAME = "shop.example"
PUBLIC = "203.1.113.7"
INNER = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.0.1",
    "169.254.1.1",
    "169.254.169.254",
    "168.63.129.16",
    "100.64.0.1",
    "100.100.100.200",
    "192.0.0.192",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::1",
    "2002:a00:1::1",
    "2001:0:7f00:1::",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%1",
    "fec0::1",
    "ff02::1",
]
Names = Callable[..., list[str]]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """Say what the name resolves to, look-up after look-up; the last answer stays. Returns the log of look-ups."""

    def resolving(*answers: list[str]) -> list[str]:
        asked: list[str] = []

        def look_up(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
            addresses = answers[min(len(asked), len(answers) - 1)]
            asked.append(host)
            return [
                (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address.partition("%")[0], port, 0, "%" in address))
                if ":" in address
                else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
                for address in addresses
            ]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        return asked

    return resolving


async def attempt(url: str, limit: float = 5.0, client: OutboundClient | None = None) -> Answer:
    async with client or OutboundClient() as outbound:
        return await outbound.attempt(Request("GET", url), Policy(), limit=limit)


def port_of(server: Server) -> str:
    return server.url.rpartition(":")[2]


@pytest.mark.parametrize("address", INNER)
async def test_a_name_that_leads_into_the_inside_is_refused(names: Names, server: Server, address: str) -> None:
    server.answers = [(200, {}, b"")]
    names([address])
    answer = await attempt(f"http://{NAME}:{port_of(server)}/")
    assert (answer.ending.failure, answer.sent, server.seen.count) == ("refused", 0, 0)


async def test_a_name_with_one_inner_address_among_public_ones_is_refused(names: Names) -> None:
    names([PUBLIC, "127.0.0.1"])
    assert (await attempt(f"http://{NAME}/")).ending.failure == "refused"


async def test_a_name_is_looked_up_once_for_check_and_connection(names: Names, server: Server) -> None:
    """A name that is public when it is checked, and inner when it is connected to, gains nothing."""
    server.answers = [(200, {}, b"")]
    asked = names([PUBLIC], ["127.0.0.1"])
    answer = await attempt(f"http://{NAME}:{port_of(server)}/", limit=0.2)
    assert answer.ending.failure in {"timeout", "unreachable"}
    assert (asked, server.seen.count) == ([NAME], 0)


async def test_a_name_that_has_become_an_inner_one_is_refused_from_then_on(names: Names, server: Server) -> None:
    server.answers = [(200, {}, b"")]
    names([PUBLIC], ["127.0.0.1"])
    url = f"http://{NAME}:{port_of(server)}/"
    # A client remembers look-ups for some seconds: there are two.
    ends = [(await attempt(url, 0.2)).ending.failure, (await attempt(url, 0.2)).ending.failure]
    assert (ends[0] in {"timeout", "unreachable"}, ends[1], server.seen.count) == (True, "refused", 0)


async def test_an_address_that_slips_past_the_look_up_is_refused_at_its_socket(
    monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    async def careless(_: object, host: str, port: int = 0, family: int = 0) -> list[Any]:
        return [{"hostname": host, "host": "127.0.0.1", "port": port, "family": socket.AF_INET, "proto": 6, "flags": 0}]

    monkeypatch.setattr(GuardedResolver, "resolve", careless)
    server.answers = [(200, {}, b"")]
    answer = await attempt(f"http://{NAME}:{port_of(server)}/")
    assert (answer.ending.failure, server.seen.count) == ("refused", 0)


async def test_a_redirect_to_a_name_that_leads_into_the_inside_is_refused(
    names: Names, server: Server, other_server: Server
) -> None:
    server.answers = [(302, {"Location": f"http://{NAME}:{port_of(other_server)}/"}, b"")]
    other_server.answers = [(200, {}, b"")]
    names(["127.0.0.1"])
    client = OutboundClient([("https://api.example.com", server.url)])
    answer = await attempt("https://api.example.com/", client=client)
    assert (answer.ending.failure, answer.sent, other_server.seen.count) == ("refused", 1, 0)


async def test_a_range_that_the_manifest_opens_and_a_rewritten_address_may_be_inner(
    names: Names, server: Server
) -> None:
    server.answers = [(200, {}, b"")]
    names(["127.0.0.1"])
    url = f"http://{NAME}:{port_of(server)}"
    async with OutboundClient() as client:
        opened = await client.attempt(Request("GET", url), Policy(), limit=5, ways=Ways(Egress(LOOPBACK)))
    rewritten = await attempt("https://api.example.com/", client=OutboundClient([("https://api.example.com", url)]))
    assert (opened.ending, rewritten.ending) == (Ending(status=200), Ending(status=200))
