"""Where calls may go and which way they take: a list of hosts, and proxies."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from shared.integration.client import OutboundClient
from shared.integration.ways import may_ask_for
from tests.services.integration_worker.authority import Authority
from tests.services.integration_worker.calling import Waiting, responder, words
from tests.services.integration_worker.misbehaving import LOOPBACK, Server, serving
from tests.services.integration_worker.proxying import Proxy, proxying
from tests.services.integration_worker.token_end_point import issuing

OK = (200, {"Content-Type": "application/json"}, b'{"ok":1}')
CANARY = "canary-of-the-proxy"


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    async with proxying() as started:
        yield started


def port_of(server: Server) -> int:
    return int(server.url.rpartition(":")[2])


def through(proxy: Proxy, host: str = "shop.example") -> str:
    return f'[hosts."{host}"]\nproxy = "{proxy.url}"\n'


def moved(location: str) -> tuple[int, dict[str, str], bytes]:
    return (307, {"Location": location}, b"")


# -- the list of hosts --------------------------------------------------------------------------------------------


async def publish_allowing(waiting: Waiting, url: str, *allowed: str) -> None:
    """Publish a bot that may reach loopback, and these hosts."""
    listed = ", ".join(f'"{host}"' for host in allowed)
    more = f'[egress]\nprivate = ["127.0.0.0/8"]\nallow = [{listed}]\n'
    await waiting.publish(responder("It", url), private=False, more=more)


async def test_a_host_on_the_list_is_called_and_another_is_refused(waiting: Waiting, server: Server) -> None:
    server.answers = [OK]
    await publish_allowing(waiting, server.url, "127.0.0.1")
    assert (await waiting.made("It")).status == 200
    await publish_allowing(waiting, server.url, "api.example.com", "*.example.org", "127.0.0.1:1")
    outcome = await waiting.made("It")
    assert (outcome.failure, words(outcome), server.seen.count) == ("refused", ["refused"], 1)
    assert "[egress] allow" in outcome.failure_detail
    await publish_allowing(waiting, server.url)
    assert (await waiting.made("It")).failure == "refused"


async def test_a_redirect_leaves_the_list_neither(waiting: Waiting, server: Server, other_server: Server) -> None:
    server.answers, other_server.answers = [moved(other_server.url + "/x")], [OK]
    host = server.url.removeprefix("http://")
    await publish_allowing(waiting, server.url, host)
    outcome = await waiting.made("It")
    assert (outcome.failure, outcome.attempts[0].sent, other_server.seen.count) == ("refused", 1, 0)
    await publish_allowing(waiting, server.url, host, other_server.url.removeprefix("http://"))
    assert (await waiting.made("It")).status == 200


async def test_the_list_holds_for_rewritten_addresses_as_the_bot_means_them(waiting: Waiting, server: Server) -> None:
    server.answers = [moved("/again"), moved(server.url + "/absolute"), OK]
    rewrites = (("https://api.example.com", server.url), ("https://other.example.com", server.url))
    for name, ends in (("api", None), ("other", "refused")):
        await publish_allowing(waiting, f"https://{name}.example.com/x", "api.example.com")
        call_id = await waiting.call("It")
        await waiting.make(call_id, OutboundClient(rewrites))
        outcome = await waiting.outcome(call_id)
        assert outcome is not None
        assert outcome.failure == ends
    assert server.seen.paths == ["GET /x", "GET /again", "GET /absolute"]


# -- proxies ------------------------------------------------------------------------------------------------------


async def test_a_call_leaves_through_the_proxy_of_its_host_which_looks_the_name_up(
    waiting: Waiting, server: Server, proxy: Proxy
) -> None:
    server.answers = [OK]
    proxy.hosts["shop.example"] = ("127.0.0.1", port_of(server))
    made = responder("It", "http://shop.example/a%2Fb?x=1", method="POST", postBody='{"a":1}')
    await waiting.publish(made, private=False, more=through(proxy))
    outcome = await waiting.made("It")
    assert (outcome.status, outcome.attempts[0].sent, outcome.address) == (200, 1, "http://shop.example/a%2Fb")
    assert proxy.asked == ["POST http://shop.example/a%2Fb?x=1 HTTP/1.1"]
    ((method, path, headers, body),) = server.seen.requests
    assert (method, path, headers["Host"], body) == ("POST", "/a%2Fb?x=1", "shop.example", b'{"a":1}')


async def test_https_goes_through_a_tunnel_with_the_client_certificate(
    waiting: Waiting, proxy: Proxy, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    authority.client("client")
    keys = "".join(
        f'{key} = {{ file = "{tmp_path}/{file}" }}\n'
        for key, file in (
            ("certificate", "client.pem"),
            ("private_key", "client.key"),
            ("authorities", "authority.pem"),
        )
    )
    async with serving(authority.server()) as secure:
        secure.answers = [OK]
        more = f'[credentials.bank]\ntype = "mutual_tls"\n{keys}' + through(proxy, "127.0.0.1")
        await waiting.publish(responder("It", secure.url), manifest='credential = "bank"\n', more=more)
        outcome = await waiting.made("It")
        assert (outcome.status, outcome.attempts[0].sent) == (200, 1)
        assert proxy.asked == [f"CONNECT 127.0.0.1:{port_of(secure)} HTTP/1.1"]


async def test_the_proxy_is_told_who_calls_and_nobody_else_is(waiting: Waiting, server: Server, proxy: Proxy) -> None:
    server.answers = [moved(server.url + "/direct"), OK]
    proxy.hosts["shop.example"] = ("127.0.0.1", port_of(server))
    proxy.password = f"me:{CANARY}"
    waiting.environment["PROXY"] = CANARY
    table = f'{{ url = "{proxy.url}", username = "me", password = {{ env = "PROXY" }} }}'
    await waiting.publish(responder("It", "http://shop.example/"), more=f'[hosts."shop.example"]\nproxy = {table}\n')
    with capture_logs() as lines:
        outcome = await waiting.made("It")
    assert (outcome.status, outcome.attempts[0].sent, len(proxy.asked)) == (200, 2, 1)
    assert "Proxy-Authorization" not in server.seen.requests[1][2]
    assert CANARY not in f"{lines}{outcome}"
    proxy.refuses, proxy.tells = "502 No", True
    outcome = await waiting.made("It")  # a proxy that answers with what it was sent
    encoded = base64.b64encode(proxy.password.encode()).decode()
    assert (outcome.status, "[secret]" in outcome.body, encoded in outcome.body) == (502, True, False)
    await waiting.publish(responder("It", "https://shop.example/"), more=f'[hosts."shop.example"]\nproxy = {table}\n')
    assert (await waiting.made("It")).failure == "unreachable"  # it let the tunnel's password pass


@pytest.mark.parametrize(
    ("refusal", "failure"),
    [("403 No", "refused"), ("407 Who", "credential"), ("502 Bad Gateway", "unreachable"), ("504 Late", "unreachable")],
)
async def test_a_proxy_that_does_not_connect_has_sent_nothing_on(
    waiting: Waiting, proxy: Proxy, refusal: str, failure: str
) -> None:
    proxy.refuses = refusal
    await waiting.publish(responder("It", "https://shop.example/", method="POST"), more=through(proxy))
    outcome = await waiting.made("It")
    attempts = 4 if failure == "unreachable" else 1
    assert (outcome.failure, words(outcome)) == (failure, [failure] * attempts)
    assert {attempt.sent for attempt in outcome.attempts} == {0}


async def test_a_proxy_that_is_away_and_a_secret_that_is_missing_are_said(waiting: Waiting, refusing: str) -> None:
    away = f'[hosts."*"]\nproxy = "{refusing}"\n'
    await waiting.publish(responder("It", "http://shop.example/"), more=away)
    outcome = await waiting.made("It")
    assert (outcome.failure, outcome.failure_detail) == ("unreachable", "the proxy did not accept a connection")
    table = f'{{ url = "{refusing}", username = "me", password = {{ env = "NOT_SET" }} }}'
    await waiting.publish(responder("It", "http://shop.example/"), more=f'[hosts."*"]\nproxy = {table}\n')
    outcome = await waiting.made("It")
    assert outcome.failure == "credential"
    assert "NOT_SET" in outcome.failure_detail


async def test_a_proxy_is_not_asked_for_inner_addresses(waiting: Waiting, server: Server, proxy: Proxy) -> None:
    server.answers = [OK]
    for url in (server.url, "http://localhost/", "http://169.254.169.254/", "http://2130706433/", "http://0x7f.1/"):
        await waiting.publish(responder("It", url), private=False, more=through(proxy, "*"))
        assert (await waiting.made("It")).failure == "refused", url
    assert (proxy.asked, server.seen.count) == ([], 0)
    await waiting.publish(responder("It", server.url), more=through(proxy, "*"))
    assert (await waiting.made("It")).status == 200
    assert len(proxy.asked) == 1


async def test_a_host_may_be_called_directly_although_others_are_not(
    waiting: Waiting, server: Server, proxy: Proxy
) -> None:
    server.answers = [OK]
    more = through(proxy, "*") + '[hosts."127.0.0.1"]\nproxy = "direct"\n'
    await waiting.publish(responder("It", server.url), more=more)
    assert ((await waiting.made("It")).status, proxy.asked) == (200, [])


async def test_an_end_point_for_tokens_needs_no_permission_and_takes_its_proxy(
    waiting: Waiting, server: Server, other_server: Server, proxy: Proxy
) -> None:
    server.answers, other_server.answers = [OK], [issuing()]
    proxy.hosts["login.example"] = ("127.0.0.1", port_of(other_server))
    waiting.environment["CRM"] = CANARY
    credential = (
        '[credentials.crm]\ntype = "oauth2_client_credentials"\ntoken_url = "http://login.example/token"\n'
        'client_id = "bot"\nclient_secret = { env = "CRM" }\n'
    )
    allowed = '[egress]\nprivate = ["127.0.0.0/8"]\nallow = ["127.0.0.1"]\n'
    more = credential + allowed + through(proxy, "login.example")
    await waiting.publish(responder("It", server.url), manifest='credential = "crm"\n', private=False, more=more)
    outcome = await waiting.made("It")
    assert (outcome.status, proxy.asked) == (200, ["POST http://login.example/token HTTP/1.1"])
    assert server.seen.requests[0][2]["Authorization"] == "Bearer token-1"


@pytest.mark.parametrize("host", ["shop.example", "8.8.8.8", "2606:4700::1", "a1.example", "1.example.com."])
def test_names_and_public_addresses_may_be_asked_for(host: str) -> None:
    assert may_ask_for(host)


@pytest.mark.parametrize(
    "host", ["10.0.0.1", "::1", "localhost", "a.localhost", "127.1", "0177.0.0.1", "0x7f000001", "1"]
)
def test_inner_addresses_in_any_spelling_may_not(host: str) -> None:
    assert not may_ask_for(host)
    assert may_ask_for("127.0.0.1", LOOPBACK)
