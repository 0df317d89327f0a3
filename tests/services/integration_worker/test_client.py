"""The outbound client against servers that misbehave."""

import gzip
import zlib
from typing import Any

import pytest

from shared.bot.egress import Egress
from shared.bot.integration import Policy
from shared.integration.client import Answer, OutboundClient
from shared.integration.policy import Ending
from shared.integration.request import Request
from shared.integration.ways import Ways
from tests.services.integration_worker.misbehaving import LOOPBACK, Server, bomb, cut, huge, reset

OK = (200, {"Content-Type": "application/json"}, b'{"ok":1}')


async def attempt(
    request: Request,
    *,
    limit: float = 10.0,
    private: tuple[str, ...] = LOOPBACK,
    rewrites: tuple[tuple[str, str], ...] = (),
    **policy: Any,
) -> Answer:
    async with OutboundClient(rewrites) as client:
        return await client.attempt(request, Policy(**policy), limit=limit, ways=Ways(Egress(private)))


def get(url: str, **headers: str) -> Request:
    return Request("GET", url, headers)


async def test_an_answer_brings_status_headers_and_text(server: Server) -> None:
    server.answers = [(404, {"Content-Type": "text/plain; charset=latin-1", "X-A": "1"}, "ä".encode("latin-1"))]
    answer = await attempt(get(f"{server.url}/a%2Fb?q=%C3%A4+%20"))
    assert (answer.ending, answer.body, answer.headers["X-A"]) == (Ending(status=404), "ä", "1")
    assert server.seen.paths == ["GET /a%2Fb?q=%C3%A4+%20"]


async def test_a_request_arrives_as_it_was_rendered(server: Server) -> None:
    server.answers = [OK]
    await attempt(Request("PATCH", server.url + "/x", {"Content-Type": "text/x", "Accept": "b"}, b"body\n"))
    ((method, path, headers, body),) = server.seen.requests
    assert (method, path, body) == ("PATCH", "/x", b"body\n")
    assert (headers["Content-Type"], headers["Accept"], headers["User-Agent"]) == ("text/x", "b", "botlane")


async def test_nothing_is_added_to_a_body_without_content_type(server: Server) -> None:
    server.answers = [OK]
    await attempt(Request("POST", server.url + "/x", {}, b"body"))
    assert "Content-Type" not in server.seen.requests[0][2]


async def test_a_closed_port_is_unreachable(refusing: str) -> None:
    assert (await attempt(get(refusing))).ending.failure == "unreachable"


async def test_an_unknown_host_is_unreachable() -> None:
    ending = (await attempt(get("http://no-such-host.invalid/"))).ending
    assert (ending.failure, ending.detail) == ("unreachable", "the name of the host was not found")


async def test_plain_http_on_a_tls_address_is_unreachable(server: Server) -> None:
    server.answers = [OK]
    assert (await attempt(get(server.url.replace("http:", "https:")))).ending.failure == "unreachable"


async def test_a_server_that_hangs_is_a_timeout(server: Server) -> None:
    server.answers = [server.hang]
    assert (await attempt(get(server.url), limit=0.7)).ending.failure == "timeout"


async def test_no_time_left_is_a_timeout(server: Server) -> None:
    server.answers = [OK]
    assert (await attempt(get(server.url), limit=0)).ending.failure == "timeout"
    assert server.seen.count == 0


@pytest.mark.parametrize("misbehaviour", [reset, cut])
async def test_a_connection_that_breaks_is_lost(server: Server, misbehaviour: Any) -> None:
    server.answers = [misbehaviour]
    assert (await attempt(get(server.url))).ending.failure == "lost"
    assert server.seen.count == 1


async def test_an_answer_that_is_not_http_is_lost(garbage: str) -> None:
    assert (await attempt(get(garbage))).ending == Ending(failure="lost", detail="the answer is not HTTP")


@pytest.mark.parametrize("misbehaviour", [huge, bomb("gzip"), bomb("deflate")])
async def test_a_body_over_the_limit_is_too_large(server: Server, misbehaviour: Any) -> None:
    server.answers = [misbehaviour]
    ending = (await attempt(get(server.url))).ending
    assert (ending.failure, ending.detail) == ("too_large", "the answer is larger than 1048576 bytes")


async def test_a_body_of_just_the_limit_is_read(server: Server) -> None:
    server.answers = [(200, {}, b"x" * 1000)]
    assert len((await attempt(get(server.url), response_limit=1000)).body) == 1000
    assert (await attempt(get(server.url), response_limit=999)).ending.failure == "too_large"


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
async def test_a_packed_body_is_unpacked(server: Server, encoding: str, pack: Any) -> None:
    server.answers = [(200, {"Content-Encoding": encoding}, pack("ä".encode()))]
    assert (await attempt(get(server.url))).body == "ä"


async def test_a_damaged_packed_body_is_lost(server: Server) -> None:
    server.answers = [(200, {"Content-Encoding": "gzip"}, b"this is not gzip")]
    assert (await attempt(get(server.url))).ending.failure == "lost"


async def test_retry_after_is_read(server: Server) -> None:
    server.answers = [(429, {"Retry-After": "7"}, b"")]
    assert (await attempt(get(server.url))).ending == Ending(status=429, retry_after=7.0)


async def test_cookies_are_not_kept(server: Server) -> None:
    server.answers = [(200, {"Set-Cookie": "a=b"}, b"")]
    async with OutboundClient() as client:
        for _ in range(2):
            await client.attempt(get(server.url), Policy(), limit=5, ways=Ways(Egress(LOOPBACK)))
    assert "Cookie" not in server.seen.requests[1][2]


# -- redirects ----------------------------------------------------------------------------------------------------


async def test_a_redirect_is_followed_and_keeps_its_secrets_at_home(server: Server, other_server: Server) -> None:
    server.answers = [(302, {"Location": "/next"}, b""), (307, {"Location": f"{other_server.url}/there"}, b"")]
    other_server.answers = [OK]
    answer = await attempt(Request("POST", server.url + "/start", {"Authorization": "s", "X-B": "1"}, b"body"))
    assert answer.ending == Ending(status=200, moved=True)
    assert server.seen.paths == ["POST /start", "GET /next"]
    assert [("Authorization" in headers, body) for _, _, headers, body in server.seen.requests] == [
        (True, b"body"),
        (True, b""),
    ]
    ((_, path, headers, _),) = other_server.seen.requests
    assert (path, headers["X-B"], "Authorization" in headers) == ("/there", "1", False)


async def test_a_redirect_loop_ends(server: Server) -> None:
    server.answers = [(301, {"Location": "/again"}, b"")]
    assert (await attempt(get(server.url))).ending == Ending(failure="refused", detail="more than 5 redirects")
    assert server.seen.count == 6


async def test_a_redirect_that_is_not_to_be_followed_is_the_answer(server: Server) -> None:
    server.answers = [(302, {"Location": "/next"}, b"x")]
    answer = await attempt(get(server.url), redirects=0)
    assert (answer.ending, answer.headers["Location"], server.seen.count) == (Ending(status=302), "/next", 1)


async def test_a_redirect_without_location_is_the_answer(server: Server) -> None:
    server.answers = [(302, {}, b"x")]
    assert (await attempt(get(server.url))).ending == Ending(status=302)


async def test_a_redirect_to_another_scheme_is_refused(server: Server) -> None:
    server.answers = [(302, {"Location": "file:///etc/passwd"}, b"")]
    assert (await attempt(get(server.url))).ending.failure == "refused"


@pytest.mark.parametrize("location", ["http://169.254.169.254/latest/meta-data", "http://[::1]:1/", "http://10.0.0.1/"])
async def test_a_redirect_to_an_inner_address_is_refused(server: Server, location: str) -> None:
    server.answers = [(302, {"Location": location}, b"")]
    assert (await attempt(get(server.url))).ending.failure == "refused"


# -- addresses ----------------------------------------------------------------------------------------------------

SPELLINGS = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "017700000001",
    "127.0.0.1.",
    "\uff11\uff12\uff17.0.0.1",
    "\u2460\u2461\u2466.0.0.1",
    "0",
    "0.0.0.0",
    "localhost",
    "LOCALHOST.",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[fe80::1%25lo]",
    "169.254.169.254",
    "[fd00:ec2::254]",
    "100.100.100.200",
    "168.63.129.16",
    "10.0.0.1",
    "192.168.0.1",
    "172.16.0.1",
]


@pytest.mark.parametrize("host", SPELLINGS)
async def test_no_spelling_reaches_an_inner_address(server: Server, host: str) -> None:
    server.answers = [OK]
    port = server.url.rpartition(":")[2]
    answer = await attempt(get(f"http://{host}:{port}/"), private=(), limit=5)
    assert answer.ending.failure in {"refused", "unreachable"}
    assert server.seen.count == 0
    if host[0].isascii() and host not in {"0177.0.0.1", "LOCALHOST."}:
        assert answer.ending.failure == "refused"


async def test_ranges_opened_for_one_bot_are_closed_for_the_next(server: Server) -> None:
    server.answers = [OK]
    async with OutboundClient() as client:
        opened = await client.attempt(get(server.url), Policy(), limit=5, ways=Ways(Egress(LOOPBACK)))
        closed = await client.attempt(get(server.url), Policy(), limit=5)
    assert (opened.ending.status, closed.ending.failure) == (200, "refused")


# -- rewritten addresses ------------------------------------------------------------------------------------------


async def test_a_rewritten_address_may_be_loopback(server: Server) -> None:
    server.answers = [OK]
    rewrites = (("https://api.example.com", server.url),)
    answer = await attempt(get("https://api.example.com/v1?x=1"), private=(), rewrites=rewrites)
    assert answer.ending == Ending(status=200)
    assert server.seen.paths == ["GET /v1?x=1"]
    assert (await attempt(get(server.url), private=(), rewrites=rewrites)).ending.failure == "refused"


@pytest.mark.parametrize("absolute", ["", "https://api.example.com", "server"])
async def test_redirects_of_a_rewritten_address_are_rewritten_too(server: Server, absolute: str) -> None:
    origin = server.url if absolute == "server" else absolute
    server.answers = [(302, {"Location": f"{origin}/next"}, b""), (302, {"Location": "/last"}, b""), OK]
    rewrites = (("https://api.example.com", server.url),)
    answer = await attempt(get("https://api.example.com/v1"), private=(), rewrites=rewrites)
    assert answer.ending == Ending(status=200)
    assert server.seen.paths == ["GET /v1", "GET /next", "GET /last"]


async def test_a_rewritten_address_opens_no_other_inner_address(server: Server, other_server: Server) -> None:
    server.answers = [(302, {"Location": other_server.url}, b"")]
    rewrites = (("https://api.example.com", server.url),)
    answer = await attempt(get("https://api.example.com/v1"), private=(), rewrites=rewrites)
    assert (answer.ending.failure, other_server.seen.count) == ("refused", 0)
