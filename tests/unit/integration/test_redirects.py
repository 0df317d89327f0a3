"""Where a request goes in fact."""

import pytest

from shared.integration.redirects import RedirectRefused, is_redirect, redirected, rewrite
from shared.integration.request import Request

HERE = "https://api.example.com/a/b?q=1"
HEADERS = {"Authorization": "Bearer x", "cookie": "c", "X-Api-Key": "k", "Accept": "a", "Content-Type": "t"}


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://api.example.com/", "http://127.0.0.1:9000/"),
        ("https://api.example.com/a?b=c", "http://127.0.0.1:9000/a?b=c"),
        ("https://api.example.com/v1/a", "http://127.0.0.1:9001/base/a"),
        ("https://api.example.com/v1", "http://127.0.0.1:9001/base"),
        ("https://api.example.com/v1?x", "http://127.0.0.1:9001/base?x"),
        ("https://api.example.com/v10", "http://127.0.0.1:9000/v10"),
        ("https://api.example.com.evil.example/", None),
        ("https://api.example.community/", None),
        ("https://api.example.com:8443/", None),
        ("http://api.example.com/", None),
    ],
)
def test_the_longest_prefix_wins_and_ends_at_a_boundary(url: str, target: str | None) -> None:
    rewrites = [
        ("https://API.example.com:443", "http://127.0.0.1:9000"),
        ("https://api.example.com/v1/", "http://127.0.0.1:9001/base/"),
    ]
    assert rewrite(url, rewrites) == target


@pytest.mark.parametrize(
    ("method", "status", "next_method"),
    [
        ("GET", 301, "GET"),
        ("GET", 303, "GET"),
        ("HEAD", 303, "HEAD"),
        ("POST", 301, "GET"),
        ("POST", 302, "GET"),
        ("POST", 303, "GET"),
        ("POST", 307, "POST"),
        ("POST", 308, "POST"),
        ("PUT", 302, "PUT"),
        ("PUT", 303, "GET"),
        ("DELETE", 301, "DELETE"),
    ],
)
def test_the_method_follows_the_status(method: str, status: int, next_method: str) -> None:
    after = redirected(Request(method, HERE, HEADERS, b"body"), status, "/c")
    assert (after.method, after.url) == (next_method, "https://api.example.com/c")
    kept = method == next_method and (status, method) != (303, "GET")
    assert after.body == (b"body" if kept else None)
    assert ("Content-Type" in after.headers) == kept
    assert after.headers["Authorization"] == "Bearer x"


@pytest.mark.parametrize(
    "location",
    ["https://other.example/", "//other.example/", "http://api.example.com/", "https://api.example.com:444/x"],
)
def test_secrets_stay_with_their_origin(location: str) -> None:
    after = redirected(Request("GET", HERE, HEADERS), 302, location)
    assert after.headers == {"Accept": "a", "Content-Type": "t"}


@pytest.mark.parametrize(
    "name",
    ["X-Shop-Access-Token", "Ocp-Apim-Subscription-Key", "apikey", "X-Client-Secret", "X-Session-Id", "X-Amz-Auth"],
)
def test_a_header_that_is_named_like_a_secret_stays_too(name: str) -> None:
    request = Request("GET", HERE, {name: "s", "Idempotency-Key": "k", "X-Region": "r"})
    assert redirected(request, 307, "https://other.example/").headers == {"Idempotency-Key": "k", "X-Region": "r"}
    assert redirected(request, 307, "/elsewhere").headers == request.headers


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("c?d=e#f", "https://api.example.com/a/c?d=e"),
        ("?d=e", "https://api.example.com/a/b?d=e"),
        ("https://u:p@api.example.com/x", "https://api.example.com/x"),
        ("/ä b/%2F", "https://api.example.com/%C3%A4%20b/%2F"),
    ],
)
def test_a_location_is_relative_to_the_address(location: str, url: str) -> None:
    assert redirected(Request("GET", HERE), 302, location).url == url


@pytest.mark.parametrize(
    "location",
    [
        "ftp://a.example/",
        "javascript:alert(1)",
        "http://[::1",
        "http://a:99999/",
        "file:///etc/passwd",
        "http:///x",
        "http://[a]@@",
        "http://[x::1]/",
        "//@@",
    ],
)
def test_a_location_that_is_no_address_is_refused(location: str) -> None:
    with pytest.raises(RedirectRefused):
        redirected(Request("GET", HERE), 302, location)


def test_only_these_answers_redirect() -> None:
    assert [status for status in range(300, 310) if is_redirect(status, "/x")] == [301, 302, 303, 307, 308]
    assert not is_redirect(302, None)
    assert not is_redirect(302, "")
