"""Names of hosts as a manifest writes them, and which of them an address falls under."""

import pytest

from shared.bot.hosts import fitting, read_host

NAMES = ("*", "*.example.org", "api.example.org", "api.example.org:8443", "[::1]:80", "xn--bcher-kva.example")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("api.example.com", "api.example.com"),
        ("API.Example.com:8443", "api.example.com:8443"),
        ("*.example.org", "*.example.org"),
        ("*", "*"),
        ("[::1]:80", "[::1]:80"),
        ("10.0.0.1", "10.0.0.1"),
        ("bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_a_host_is_read_in_the_form_in_which_addresses_are_compared(written: str, read: str) -> None:
    assert read_host(written) == read


@pytest.mark.parametrize(
    "written",
    ["", "*.", "*.*.example.org", "a*.example.org", "https://x.example", "x.example/path", "me@x.example", "a b", "x:99999"],
)  # fmt: skip
def test_what_is_no_host_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="is no host: write it like"):
        read_host(written)


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://api.example.org/x?y", "api.example.org"),
        ("https://api.example.org:8443/", "api.example.org:8443"),
        ("https://api.example.org./x", "api.example.org"),
        ("https://a.b.example.org", "*.example.org"),
        ("https://example.org", "*"),
        ("https://badexample.org", "*"),
        ("http://[::1]/", "[::1]:80"),
        ("https://[::1]/", "*"),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example"),
    ],
)
def test_an_address_falls_under_the_name_that_says_most(address: str, name: str) -> None:
    assert fitting(NAMES, address) == name


def test_an_address_may_fall_under_none() -> None:
    assert fitting(NAMES[1:], "https://example.com/") is None
