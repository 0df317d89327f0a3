"""`botlane integrations`: how the limits of integrations and hosts stand, read without a scan."""

import io
import re
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from services.cli.integrations_command import page, read
from shared.bot.protection import Breaker, Protection, Rate
from shared.protection.gate import Gate
from shared.protection.guards import Guard
from tests.services.cli.typed import typed

ROOT = Path(__file__).parents[3]
Raw = Any  # redis' own annotations leave open whether a command is to be awaited
STORE = Guard(
    "integration",
    "integration:shop:store",
    "Shop front: StoreLocator",
    Protection(2, Rate(20, 60_000), Breaker(2, 0.5, 60_000, 60_000)),
)
HOST = Guard("host", "host:api.example.com", "api.example.com", Protection(1, Rate(1, 3_600_000)))


async def drawn(redis: Raw, width: int = 80) -> str:
    screen = io.StringIO()
    Console(file=screen, width=width, highlight=False).print(page(await read(redis)))
    return screen.getvalue()


async def test_without_limits_it_says_where_to_read_about_them(redis: Raw) -> None:
    assert "docs/protection.md" in await drawn(redis)


async def test_it_shows_what_is_in_flight_and_waiting_the_rate_and_the_breaker(redis: Raw) -> None:
    gate = Gate(redis)
    for number in range(3):
        await gate.enter((STORE,), f"w:{number}", 20)
    await gate.enter((HOST,), "w:h", 20)
    await gate.leave((HOST,), "w:h", "failed", "timeout")
    store, host = sorted((await read(redis)).guards, key=lambda guard: guard.kind, reverse=True)
    assert (store.in_flight, store.waiting, store.started, store.concurrency) == (2, 1, 2, 2)
    assert (host.in_flight, host.started, host.breaker, host.last_failure) == (0, 1, None, "timeout")
    screen = await drawn(redis)
    assert max(map(len, screen.splitlines())) <= 80
    for shown in ("Shop front: StoreLocator", "2 of 2", "2 of 20/m", "closed", "1 of 1/h", "timeout"):
        assert shown in screen
    for number in (0, 1):
        await gate.leave((STORE,), f"w:{number}", "failed", "503")
    [opened] = [guard.breaker for guard in (await read(redis)).guards if guard.breaker]
    assert opened.state == "open"
    assert re.search(r"open, \d", await drawn(redis))


async def test_failures_are_counted_while_it_is_closed(redis: Raw) -> None:
    gate = Gate(redis)
    for number, verdict in enumerate(("ok", "failed", "ok")):
        await gate.enter((STORE,), f"w:{number}", 20)
        await gate.leave((STORE,), f"w:{number}", verdict, "503")
    assert "closed, 1 of 3 failed" in " ".join((await drawn(redis, 120)).split())


async def test_a_breaker_whose_time_is_over_is_half_open(redis: Raw) -> None:
    gate, soon = Gate(redis), STORE._replace(protection=Protection(0, None, Breaker(1, 0.5, 1000, 1)))
    await gate.enter((soon,), "w:1", 20)
    await gate.leave((soon,), "w:1", "failed", "503")
    while (await read(redis)).guards[0].breaker.state != "half-open":  # type: ignore[union-attr]
        pass
    await gate.enter((soon,), "w:2", 20)
    assert "half-open" in await drawn(redis)


async def test_names_cannot_steer_the_terminal(redis: Raw) -> None:
    await Gate(redis).enter((STORE._replace(name="\x1b[2Jname"),), "w:1", 20)
    assert "\x1b" not in await drawn(redis)


async def test_reading_it_scans_nothing(redis: Raw) -> None:
    await Gate(redis).enter((STORE, HOST), "w:1", 20)
    await redis.config_resetstat()
    assert len((await read(redis)).guards) == 2
    used = {name.removeprefix("cmdstat_") for name in await redis.info("commandstats")}
    assert not used & {"scan", "keys", "sscan", "hscan", "zscan", "xrange"}


async def test_json_has_everything_on_the_screen(redis: Raw, valkey_server: str) -> None:
    await Gate(redis).enter((STORE,), "w:1", 20)
    ended = typed("integrations", "--json", "--redis", valkey_server)
    assert ended.returncode == 0, ended.stderr
    [guard] = msgspec.json.decode(ended.stdout)["guards"]
    assert (guard["name"], guard["inFlight"], guard["rate"]) == (STORE.name, 1, {"count": 20, "ms": 60_000})
    assert guard["breaker"] == {"state": "closed", "sinceMs": None, "failed": 0, "ended": 0}
