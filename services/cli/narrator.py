"""Tells what happens, a line for each turn, on the terminal of `botlane run`: names and counts, never values."""

import asyncio
import collections
import time
from collections.abc import AsyncIterator, Iterator

import click
import msgspec
from arq.connections import ArqRedis

from services.cli.plain import plain
from services.settings import Settings
from shared.dialog.trace import TraceLine, TurnTrace
from shared.queue import entries
from shared.queue.mailbox import Mailbox
from shared.store import keys
from shared.store.connection import RedisUnreachable, translated

REMEMBERED = 1000
"""Conversations whose last told turn is remembered."""
AGAIN_SECONDS = 1.0
_ENDS = {"transfer": "transferred", "kept": "kept, people have the conversation", "close": "closed"}
SHORT = 8
"""Characters of a conversation's id at the head of a line."""


async def narrate(redis: ArqRedis, settings: Settings) -> None:
    """Tell each turn once, as soon as it is committed, until cancelled."""
    mailbox = mailbox_of(redis, settings)
    told: collections.OrderedDict[str, int] = collections.OrderedDict()
    while True:
        try:
            with translated():
                async for conversation in _notified(redis, settings.shards):
                    await _tell(mailbox, conversation, told)
        except RedisUnreachable as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():  # a cancelled read looks like a lost connection
                return
            click.echo(f"{error} Going on when it answers.", err=True)
            await asyncio.sleep(AGAIN_SECONDS)


async def _notified(redis: ArqRedis, shards: int) -> AsyncIterator[str]:
    """Yield the ids of conversations in which something happened."""
    async with redis.pubsub(ignore_subscribe_messages=True) as subscription:
        await subscription.subscribe(*(keys.notify(shard) for shard in range(shards)))
        async for message in subscription.listen():
            yield entries.told(message["data"]).conversation_id


async def _tell(mailbox: Mailbox, conversation: str, told: collections.OrderedDict[str, int]) -> None:
    for line in await mailbox.trace(conversation, told.get(conversation, 0)) or []:
        turn = msgspec.json.decode(line, type=TurnTrace)
        if conversation not in told:
            click.echo(_introduced(conversation, turn))
        told[conversation] = turn.turn
        told.move_to_end(conversation)
        for sentence in sentences(conversation, turn):
            click.echo(sentence)
    while len(told) > REMEMBERED:
        told.popitem(last=False)


def mailbox_of(redis: ArqRedis, settings: Settings) -> Mailbox:
    """Return the mailbox whose traces are told."""
    return Mailbox(
        redis,
        conversation_ttl=settings.conversation_ttl,
        inbox_limit=settings.inbox_limit,
        trace_ttl=settings.trace_ttl,
    )


def sentences(conversation: str, turn: TurnTrace) -> list[str]:
    """Return a line for the turn and one for each of its warnings."""
    when = _time(turn)
    visited = _names(turn.lines, "interaction")
    parts = [" ".join([turn.event, *(_result(line) for line in turn.lines if line.code == "outcome")])]
    if visited:
        parts.append(" → ".join(visited))
    if calls := [line for line in turn.lines if line.code == "call"]:
        parts.append(f"calls {', '.join(line.interaction or line.note for line in calls)}")
    if replies := sum(line.code == "reply" for line in turn.lines):
        parts.append(f"{replies} {'reply' if replies == 1 else 'replies'}")
    parts += [_ENDS[line.code] for line in turn.lines if line.code in _ENDS]
    parts.append(f"{turn.ms:.0f} ms")
    head = f"{when}  {conversation[:SHORT]}  {turn.turn:>3}  {' · '.join(parts)}"
    warnings = [line for line in turn.lines if line.level == "warning" or _why(line)]
    told = [head, *(f"{' ' * 10}! {line.code} {line.interaction}: {line.note}" for line in warnings)]
    return [plain(sentence) for sentence in told]


def details(turn: TurnTrace) -> Iterator[str]:
    """Yield every line of a turn, with its facts and with the values it was stored with."""
    for line in turn.lines:
        head = " ".join(part for part in ("!" if line.level == "warning" else "·", line.code, line.interaction) if part)
        facts = ", ".join(
            f"{name} {str(value).lower() if isinstance(value, bool) else value}" for name, value in line.facts.items()
        )
        yield plain(f"{' ' * 10}{'; '.join(part for part in (head, line.note, facts) if part)}")
        for name, value in line.values.items():
            yield plain(f"{' ' * 14}{name}: {msgspec.json.encode(value).decode()}")


def _result(outcome: TraceLine) -> str:
    """Return a call's status, or the word for how it failed."""
    status = outcome.facts.get("status")
    return str(status) if status else outcome.note.partition(":")[0]


def _why(line: TraceLine) -> bool:
    """Whether a line says why a call failed."""
    return line.code == "outcome" and bool(line.note) and line.facts.get("success") is False


def _introduced(conversation: str, turn: TurnTrace) -> str:
    """Return the one line that holds the whole id, which `botlane trace` wants."""
    return f"{_time(turn)}  {conversation[:SHORT]}  is conversation {conversation}"


def _time(turn: TurnTrace) -> str:
    return time.strftime("%H:%M:%S", time.localtime(turn.at / 1000))


def _names(lines: list[TraceLine], code: str) -> list[str]:
    return [line.interaction for line in lines if line.code == code]
