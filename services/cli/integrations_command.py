"""`botlane integrations`: how the limits of integrations and hosts stand."""

import datetime as dt
import time
from pathlib import Path

import click
import msgspec
from arq.connections import ArqRedis
from rich.console import Group, RenderableType
from rich.text import Text

from services.cli.plain import plain
from services.cli.screens import show
from services.cli.server_option import server_address, with_server
from services.cli.status_page import lasting, table_of
from services.settings import read_settings
from shared.protection.figures import CLOSED, HALF_OPEN, GuardFigures, read_guards

_UNITS = {1000: "s", 60_000: "m", 3_600_000: "h"}


class Integrations(msgspec.Struct, frozen=True):
    """Everything on the screen; `at` is the local clock."""

    at: dt.datetime
    guards: list[GuardFigures]


@click.command(short_help="Show limits of calls: rates, waiting, breakers.")
@click.option("--watch", is_flag=True, help="Show it again every two seconds, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object; with --watch one a line.")
@with_server
def integrations(*, watch: bool, as_json: bool, redis: str, data: Path | None) -> None:
    """Show the integrations and hosts whose calls are limited: calls in flight and waiting, rates, breakers."""
    url = server_address(redis, data, read_settings())
    show(url, read, page, _titled, watch=watch, as_json=as_json)


async def read(redis: ArqRedis) -> Integrations:
    """Return what there is now. Raises RedisUnreachable."""
    return Integrations(dt.datetime.now(dt.UTC), await read_guards(redis))


def page(found: Integrations) -> RenderableType:
    """Return the screen, for 80 columns and more."""
    parts: list[RenderableType] = []
    for kind in ("integration", "host"):
        guards = [guard for guard in found.guards if guard.kind == kind]
        if guards:
            parts += ["", _table(kind.capitalize(), guards)]
    if not parts:
        return Text("No call was limited in the last day: docs/protection.md says how to limit them.", style="dim")
    return Group(*parts[1:])


def _table(title: str, guards: list[GuardFigures]) -> RenderableType:
    table = table_of(title, "in flight", "waiting", "rate", "breaker", "last failure")
    for guard in guards:
        table.add_row(
            plain(guard.name),
            f"{guard.in_flight:,}" + (f" of {guard.concurrency:,}" if guard.concurrency else ""),
            Text(f"{guard.waiting:,}", style="yellow" if guard.waiting else ""),
            f"{guard.started:,} of {guard.rate.count:,}/{_UNITS[guard.rate.ms]}" if guard.rate else "-",
            _breaker(guard),
            f"{plain(guard.last_failure)}, {lasting((guard.last_failure_ms or 0) / 1000)} ago"
            if guard.last_failure
            else "-",
        )
    return table


def _breaker(guard: GuardFigures) -> Text:
    breaker = guard.breaker
    if breaker is None:
        return Text("-")
    since = f", {lasting(breaker.since_ms / 1000)}" if breaker.since_ms is not None else ""
    if breaker.state == CLOSED:
        return Text(f"closed, {breaker.failed:,} of {breaker.ended:,} failed" if breaker.failed else f"closed{since}")
    return Text(f"{breaker.state}{since}", style="yellow" if breaker.state == HALF_OPEN else "bold red")


def _titled(found: Integrations) -> str:
    return f"botlane integrations · {time.strftime('%H:%M:%S', found.at.astimezone().timetuple())}"
