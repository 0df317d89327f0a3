"""Which guards an attempt passes, and what its end tells of the API: the tables of docs/protection.md."""

import pytest

from shared.bot.model import Bot
from shared.bot.protection import Protection
from shared.protection.guards import Guard, guards_of, host_guard, verdict
from tests.unit.dialog.bots import bot, dialog, integration, starter

LIMITS = """
[integrations.Store]
concurrency = 2
[integrations.Free]
[hosts."api.example.com"]
rate = "5/s"
[hosts."*.example.com"]
concurrency = 7
[hosts."free.example.com"]
proxy = "direct"
"""


def limited(manifest: str = LIMITS) -> Bot:
    made = integration("Store"), integration("Free")
    return bot(dialog("Shop", starter("hi")), integrations=made, manifest=manifest)


def names(guards: tuple[Guard, ...]) -> list[str]:
    return [guard.id.partition(":")[0] + ":" + guard.name for guard in guards]


@pytest.mark.parametrize(
    ("called", "url", "expected"),
    [
        ("Store", "https://api.example.com/x", ["integration:Test bot: Store", "host:api.example.com"]),
        ("Store", "https://elsewhere.example.org/", ["integration:Test bot: Store"]),
        ("Free", "https://api.example.com:8443/", ["host:api.example.com"]),
        ("Free", "https://shop.example.com/", ["host:*.example.com"]),
        ("Free", "https://example.com/", []),
    ],
)
def test_an_attempt_passes_its_integration_and_then_its_host(called: str, url: str, expected: list[str]) -> None:
    of = limited()
    [found] = [one for one in of.integrations.values() if one.name == called]
    assert names(guards_of(of, found, url)) == expected


def test_the_name_that_says_most_counts_of_those_that_set_limits() -> None:
    guard = host_guard(limited(), "https://free.example.com/")
    assert guard is not None
    assert (guard.name, guard.protection) == ("*.example.com", Protection(concurrency=7))
    assert host_guard(limited('[hosts."free.example.com"]\nproxy = "direct"\n'), "https://free.example.com/") is None


@pytest.mark.parametrize(
    ("failure", "status", "expected"),
    [
        ("unreachable", 0, "failed"),
        ("lost", 0, "failed"),
        ("timeout", 0, "failed"),
        (None, 500, "failed"),
        (None, 503, "failed"),
        (None, 599, "failed"),
        (None, 200, "ok"),
        (None, 204, "ok"),
        (None, 302, "ok"),
        (None, 404, "ok"),
        (None, 401, "ok"),
        (None, 501, "ok"),  # it stands in `success`
        (None, 429, "neither"),
        ("refused", 0, "neither"),
        ("too_large", 0, "neither"),
        ("credential", 0, "neither"),
        ("limited", 0, "neither"),
        ("breaker_open", 0, "neither"),
    ],
)
def test_what_the_end_of_an_attempt_says_of_the_api(failure: str | None, status: int, expected: str) -> None:
    assert verdict(failure, status, (200, 201, 501)) == expected


def test_a_429_that_counts_as_success_is_one() -> None:
    assert verdict(None, 429, (200, 429)) == "ok"
