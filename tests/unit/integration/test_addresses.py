"""Which addresses calls may reach."""

import pytest

from shared.integration.addresses import may_reach, networks

CLOSED = (
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "168.63.129.16",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:7f00:1",
    "64:ff9b::7f00:1",
    "64:ff9b::8.8.8.8",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:7f00:1::",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "2130706433",
    "0x7f000001",
    "017700000001",
    "127.1",
    "0177.0.0.1",
    "127.0.0.01",
    "localhost",
    "127.0.0.1.",
    "\uff11\uff12\uff17.0.0.1",
    "[::1]",
    "8.8.8.8:80",
)

OPEN = (
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.1",
    "172.32.0.1",
    "193.0.0.1",
    "2606:4700::1111",
    "2a00:1450::1",
)


@pytest.mark.parametrize("address", ["", *CLOSED])
def test_inner_addresses_and_odd_spellings_are_closed(address: str) -> None:
    assert not may_reach(address)


@pytest.mark.parametrize("address", OPEN)
def test_public_addresses_are_open(address: str) -> None:
    assert may_reach(address)


def test_the_manifest_opens_inner_ranges_and_no_others() -> None:
    allowed = networks(["10.0.0.0/8", "fd00::/8", "192.168.1.7"])
    assert may_reach("10.1.2.3", allowed)
    assert may_reach("fd12::1", allowed)
    assert may_reach("192.168.1.7", allowed)
    assert not may_reach("192.168.1.8", allowed)
    assert not may_reach("::ffff:10.1.2.3", allowed)
    assert not may_reach("169.254.169.254", allowed)


def test_a_range_that_is_none_is_an_error() -> None:
    with pytest.raises(ValueError, match="does not appear"):
        networks(["10.0.0/99"])
