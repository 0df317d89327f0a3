"""How each guard stands: what is in flight, who waits, what its rate has used, and its breaker. Reads only.

Guards are those that were asked in the last day; their list is kept with them, so that nothing is searched for.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from arq.connections import ArqRedis

from shared.bot.protection import Protection, Rate
from shared.store import call_keys
from shared.store.connection import translated

CLOSED, OPEN, HALF_OPEN = "closed", "open", "half-open"


class BreakerFigures(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A breaker: its state, for how many ms (None: never open yet), and what failed of what ended in its window."""

    state: str
    since_ms: int | None
    failed: int
    ended: int


class GuardFigures(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One guard. `concurrency` 0 and None are no limit; `started` are attempts within the time of the rate.

    `last_failure` is how the last failed attempt ended (`503`, `timeout`), `last_failure_ms` how long ago.
    """

    kind: str
    name: str
    in_flight: int
    waiting: int
    concurrency: int
    rate: Rate | None
    started: int
    breaker: BreakerFigures | None
    last_failure: str | None
    last_failure_ms: int | None


async def read_guards(redis: ArqRedis) -> list[GuardFigures]:
    """Return the guards that were asked in the last day, by kind and name. Raises RedisUnreachable."""
    with translated():
        seconds, micros = await redis.time()
        now = seconds * 1000 + micros // 1000
        names = [name.decode() for name in await redis.zrange(call_keys.guards(), 0, -1)]
        async with redis.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.hgetall(call_keys.guard(name)[0])
            said = await pipe.execute()
        known = [(name, fields) for name, fields in zip(names, said, strict=True) if fields.get(b"limits")]
        limits = [msgspec.json.decode(fields[b"limits"], type=Protection) for _, fields in known]
        async with redis.pipeline(transaction=False) as pipe:
            for (name, _), limit in zip(known, limits, strict=True):
                _, permits, line, starts, planned = call_keys.guard(name)
                pipe.zcount(permits, f"({now}", "+inf")
                pipe.zcount(line, f"({now}", "+inf")
                pipe.zcount(planned, f"({now}", "+inf")
                pipe.zcount(starts, f"({now - limit.rate.ms if limit.rate else now}", now)
            counts = await pipe.execute()
    found = [
        _figures(name, fields, limit, counts[4 * place : 4 * place + 4], now)
        for place, ((name, fields), limit) in enumerate(zip(known, limits, strict=True))
    ]
    return sorted(found, key=lambda guard: (guard.kind, guard.name))


def _figures(name: str, said: Mapping[bytes, bytes], limit: Protection, counts: list[int], now: int) -> GuardFigures:
    held, in_line, planned, started = counts
    last_at = said.get(b"last_at")
    return GuardFigures(
        kind=name.partition(":")[0],
        name=said[b"name"].decode(),
        in_flight=held,
        waiting=in_line + planned,
        concurrency=limit.concurrency,
        rate=limit.rate,
        started=started,
        breaker=_breaker(said, limit, now),
        last_failure=said[b"last"].decode() if last_at else None,
        last_failure_ms=now - int(last_at) if last_at else None,
    )


def _breaker(said: Mapping[bytes, bytes], limit: Protection, now: int) -> BreakerFigures | None:
    if limit.breaker is None:
        return None

    def number(field: bytes) -> int:
        return int(float(said.get(field, b"0")))

    state, since = said.get(b"state", b"closed").decode(), said.get(b"since")
    if state == "half" or (state == "open" and now >= number(b"since") + limit.breaker.open_ms):
        state = HALF_OPEN
    age, half = now - number(b"at"), limit.breaker.window_ms // 2
    running: Any = age < 2 * half, age < half  # whether the running half, and the one before, still count
    failed = number(b"bad") * running[0] + number(b"bad_before") * running[1]
    good = number(b"ok") * running[0] + number(b"ok_before") * running[1]
    return BreakerFigures(
        state=state, since_ms=None if since is None else now - int(since), failed=failed, ended=failed + good
    )
