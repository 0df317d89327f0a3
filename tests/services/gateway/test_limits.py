"""How often an address may create conversations, and which address that is."""

import pytest

from services.gateway.limits import RateLimit, caller_address, networks
from services.settings import SettingsError

PROXIES = networks(("10.0.0.0/8", "192.0.2.7", "fd00::/8"))


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("peer", "forwarded", "caller"),
    [
        ("203.0.113.5", [], "203.0.113.5"),
        ("203.0.113.5", ["198.51.100.1"], "203.0.113.5"),  # no proxy of ours: its word counts nothing
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.2.3.4, 198.51.100.1"], "198.51.100.1"),  # what stands left may be invented
        ("10.0.0.1", ["1.2.3.4, 198.51.100.1, 10.9.9.9"], "198.51.100.1"),
        ("10.0.0.1", ["1.2.3.4", "198.51.100.1, 192.0.2.7"], "198.51.100.1"),  # several headers are one list
        ("10.0.0.1", ["unknown"], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1, nonsense"], "10.0.0.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["10.0.0.2"], "10.0.0.2"),
        ("::ffff:10.0.0.1", ["::ffff:198.51.100.1"], "198.51.100.1"),
        ("fd00::1", ["2001:db8:1:2:3:4:5:6"], "2001:db8:1:2::/64"),  # one machine owns all of it
        ("10.0.0.1", ["198.51.100.1:5678"], "198.51.100.1"),  # as some balancers write it
        ("10.0.0.1", ["1.2.3.4:80,198.51.100.1:5678, 10.9.9.9:1"], "198.51.100.1"),
        ("10.0.0.1", ['"198.51.100.1:5678"'], "198.51.100.1"),
        ("10.0.0.1", ['  " [2001:db8:1:2::9]:443 "\t'], "2001:db8:1:2::/64"),
        ("10.0.0.1", ["[2001:db8:1:2::9]"], "2001:db8:1:2::/64"),
        ("10.0.0.1", ["[::ffff:198.51.100.1]:80"], "198.51.100.1"),
        ("10.0.0.1", ["fe80::1%eth0"], "fe80::/64"),
        ("10.0.0.1", ["198.51.100.1, "], "10.0.0.1"),
        ("10.0.0.1", ["[198.51.100.1"], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1:port"], "10.0.0.1"),
        (None, [], "None"),
    ],
)
def test_the_caller_is_the_last_address_that_no_proxy_of_ours_has(
    peer: str | None, forwarded: list[str], caller: str
) -> None:
    assert caller_address(peer, forwarded, PROXIES) == caller


def test_a_setting_that_is_no_address_is_named() -> None:
    with pytest.raises(SettingsError, match="BOTLANE_TRUSTED_PROXIES"):
        networks(("10.0.0.0/8", "proxy.example"))


def test_a_minutes_worth_may_come_at_once_and_then_evenly() -> None:
    clock = Clock()
    limit = RateLimit(60, clock)
    assert [limit.take("a") for _ in range(60)] == [0.0] * 60
    assert limit.take("a") == pytest.approx(1.0)  # 60 a minute: the next in a second
    assert limit.take("b") == 0.0
    clock.now += 1.0
    assert limit.take("a") == 0.0
    assert limit.take("a") == pytest.approx(1.0)


def test_an_address_that_waited_has_its_minute_back_and_not_more() -> None:
    clock = Clock()
    limit = RateLimit(2, clock)
    assert [limit.take("a"), limit.take("a")] == [0.0, 0.0]
    clock.now += 3600
    assert [limit.take("a") > 0 for _ in range(3)] == [False, False, True]


def test_many_addresses_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.gateway.limits._MOST_ADDRESSES", 10)
    clock = Clock()
    limit = RateLimit(5, clock)
    for number in range(1000):
        clock.now += 0.01
        assert limit.take(f"address {number}") == 0.0
        assert len(limit._buckets) <= 11
