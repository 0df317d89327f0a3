"""What protects the API that a bot calls: how many calls at once, how many in a time, and when to leave it alone.

`[integrations.NAME]` and `[hosts."NAME"]` of the manifest say it; nothing is limited that does not say so.
"""

import re
from collections.abc import Iterator, Mapping

import msgspec

from shared.bot.durations import parse_duration
from shared.bot.hosts import read_host

MOST_AT_ONCE = 10_000
MOST_STARTS = 10_000
LONGEST_MS = 3_600_000
_RATE = re.compile(r"(\d{1,6})\s*/\s*(s|m|h)")
_UNITS = {"s": 1000, "m": 60_000, "h": 3_600_000}


class BreakerPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`breaker`: it opens after `failures` attempts that failed within `window`, when they are `share` of all or more.

    It stays open for `open`; then one attempt is let through and decides.
    """

    failures: int = 5
    share: float = 0.5
    window: str = "30s"
    open: str = "30s"


class LimitedPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table that may set limits: calls at once over all workers, a rate such as `20/s`, a breaker."""

    concurrency: int | None = None
    rate: str | None = None
    breaker: BreakerPart | None = None

    @property
    def protection(self) -> "Protection":
        """The limits; to be asked when `limits_problems` found nothing."""
        return Protection(
            self.concurrency or 0,
            _rate(self.rate) if self.rate is not None else None,
            _breaker(self.breaker) if self.breaker is not None else None,
        )


class Rate(msgspec.Struct, frozen=True):
    """At most `count` attempts begin within any `ms` milliseconds."""

    count: int
    ms: int


class Breaker(msgspec.Struct, frozen=True):
    """A `BreakerPart` with its times in milliseconds."""

    failures: int
    share: float
    window_ms: int
    open_ms: int


class Protection(msgspec.Struct, frozen=True):
    """The limits of one host or integration; `concurrency` 0 and None are no limit."""

    concurrency: int = 0
    rate: Rate | None = None
    breaker: Breaker | None = None

    @property
    def limited(self) -> bool:
        """Whether there is any limit."""
        return bool(self.concurrency or self.rate or self.breaker)


def limits_problems(
    integrations: Mapping[str, LimitedPart], hosts: Mapping[str, LimitedPart]
) -> Iterator[tuple[str, str, str]]:
    """Yield what cannot be carried out: (key of the manifest, problem, remedy)."""
    for name, part in integrations.items():
        yield from _problems(f"integrations.{name}", part)
    read: dict[str, str] = {}
    for name, host in hosts.items():
        try:
            same = read.setdefault(read_host(name), name)
        except ValueError as error:
            yield f"hosts.{name}", str(error), "Name the host alone, without https:// and path"
            continue
        if same != name:
            yield f"hosts.{name}", f"it is the same host as {same!r}", "Keep one of them"
        yield from _problems(f"hosts.{name}", host)


def _problems(place: str, part: LimitedPart) -> Iterator[tuple[str, str, str]]:
    if part.concurrency is not None and not 1 <= part.concurrency <= MOST_AT_ONCE:
        yield f"{place}.concurrency", f"{part.concurrency} cannot be", f"Give 1 to {MOST_AT_ONCE}, or leave it out"
    if part.rate is not None:
        try:
            _rate(part.rate)
        except ValueError as error:
            yield f"{place}.rate", str(error), 'Write it like "20/s", "300/m" or "5000/h"'
    if part.breaker is not None:
        yield from _breaker_problems(f"{place}.breaker", part.breaker)


def _breaker_problems(place: str, breaker: BreakerPart) -> Iterator[tuple[str, str, str]]:
    if not 1 <= breaker.failures <= MOST_STARTS:
        yield f"{place}.failures", f"{breaker.failures} cannot be", f"Give 1 to {MOST_STARTS}"
    if not 0 < breaker.share <= 1:  # refuses nan, which TOML can write
        yield f"{place}.share", f"{breaker.share:g} is no share", "Give more than 0 and at most 1: 0.5 is one half"
    for name, text in (("window", breaker.window), ("open", breaker.open)):
        try:
            _time(text)
        except ValueError as error:
            yield f"{place}.{name}", str(error), "Give 100ms to 1h"


def _rate(text: str) -> Rate:
    found = _RATE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no rate")
    count = int(found[1])
    if not 1 <= count <= MOST_STARTS:
        raise ValueError(f"{text!r} is not between 1 and {MOST_STARTS} in that time")
    return Rate(count, _UNITS[found[2]])


def _breaker(part: BreakerPart) -> Breaker:
    return Breaker(part.failures, part.share, _time(part.window), _time(part.open))


def _time(text: str) -> int:
    milliseconds = parse_duration(text)
    if not 100 <= milliseconds <= LONGEST_MS:
        raise ValueError(f"{text!r} is not between 100ms and 1h")
    return milliseconds
