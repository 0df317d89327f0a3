"""`botlane status` as one screen, for 80 columns and more."""

import time

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from services.cli.plain import plain
from services.cli.status_reading import OLD_MS, Server, Shard, Status
from shared.queue.programs import Running

SHORT = 12
MOST_BOTS = 12
_ONE = {"turns": "turn", "turn processes": "turn process", "calls": "call"}


def page(status: Status) -> RenderableType:
    """Return the screen."""
    parts: list[RenderableType] = [_head(status), "", _shards(status.shards), "", _programs(status), "", _bots(status)]
    if status.notes:
        parts += ["", *(Text(f"! {plain(note)}", style="yellow") for note in status.notes)]
    return Group(*parts)


def _head(status: Status) -> RenderableType:
    server = status.server
    alive, busy = sum(shard.alive for shard in status.shards), sum(shard.busy for shard in status.shards)
    calls = sum(shard.calls_in_flight for shard in status.shards)
    dead = sum(shard.dead for shard in status.shards)
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="bold", no_wrap=True)
    rows.add_column()
    rows.add_row("Server", Text(f"{server.name} {server.version} at {plain(server.address)}"))
    rows.add_row("", Text(_memory(server)))
    rows.add_row("", Text(_durability(server), style="" if server.appendonly else "yellow"))
    told = Text(f"{alive:,} alive · {busy:,} busy · {calls:,} {_plural('call', calls)} in flight · ")
    told.append(f"{dead:,} dead {_plural('letter', dead)}", style="yellow" if dead else "")
    rows.add_row("Conversations", told)
    return rows


def _memory(server: Server) -> str:
    limit = f" of {_bytes(server.memory_limit_bytes)} ({server.eviction})" if server.memory_limit_bytes else ""
    return f"up {lasting(server.uptime_seconds)} · {_bytes(server.memory_bytes)}{limit} · {server.clients:,} clients"


def _durability(server: Server) -> str:
    file = f"append-only file, fsync {server.appendfsync}" if server.appendonly else "no append-only file"
    replicas = f" with {server.replicas} {_plural('replica', server.replicas)}" if server.role == "primary" else ""
    return f"{file} · {server.role}{replicas}"


def _shards(shards: list[Shard]) -> Table:
    table = table_of("Shard", "waiting", "oldest", "busy", "calls waiting", "oldest", "in flight", "dead", right_from=1)
    for shard in shards:
        table.add_row(
            str(shard.shard),
            f"{shard.waiting:,}",
            _age(shard.waiting, shard.oldest_ms),
            f"{shard.busy:,}",
            f"{shard.calls_waiting:,}",
            _age(shard.calls_waiting, shard.oldest_call_ms),
            f"{shard.calls_in_flight:,}",
            Text(f"{shard.dead:,}", style="yellow" if shard.dead else ""),
        )
    return table


def _programs(status: Status) -> RenderableType:
    table = table_of("Program", "host", "pid", "up", "version", "work")
    for running in status.programs:
        up = lasting(int(status.at.timestamp()) - running.since)
        table.add_row(
            running.program, plain(running.host), str(running.pid), up, plain(running.version), _work(running)
        )
    return table if status.programs else Text("No program runs.", style="yellow")


def _work(running: Running) -> str:
    return plain(
        ", ".join(f"{count:,} {_ONE.get(word, word) if count == 1 else word}" for word, count in running.work.items())
    )


def _bots(status: Status) -> RenderableType:
    table = table_of("Bot", "name", "version")
    table.columns[-1].min_width = SHORT  # a long name gives way
    for bot in status.bots[:MOST_BOTS]:
        table.add_row(plain(bot.id), plain(bot.name), bot.version[:SHORT])
    more = len(status.bots) - MOST_BOTS
    if more > 0:
        return Group(table, Text(f"and {more} more: see `botlane bots`", style="dim"))
    return table if status.bots else Text("No bot is published.", style="yellow")


def table_of(first: str, *others: str, right_from: int = 99) -> Table:
    """Return a table with these titles; columns from `right_from` on are numbers."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column(Text(first, style="bold not dim"), no_wrap=True)
    for at, title in enumerate(others, 1):
        table.add_column(title, justify="right" if at >= right_from else "left", no_wrap=at != len(others))
    return table


def _age(count: int, ms: int) -> Text:
    if not count:
        return Text("-", style="dim")
    return Text(lasting(ms / 1000), style="bold red" if ms > OLD_MS else "")


def lasting(seconds: float) -> str:
    """Return a time in the unit that fits it."""
    if seconds < 10:
        return f"{round(max(seconds, 0), 1):g} s"
    for unit, length, most in (("s", 1, 120), ("min", 60, 120), ("h", 3600, 48)):
        if seconds < most * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds / 86400:.0f} days"


def _bytes(count: int) -> str:
    for unit, size in (("GB", 1 << 30), ("MB", 1 << 20)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count / 1024:,.0f} kB"


def _plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word}s"


def clock(status: Status) -> str:
    """Return the time of day of a screen."""
    return time.strftime("%H:%M:%S", status.at.astimezone().timetuple())
