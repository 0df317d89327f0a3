"""Receipts of Web View calls: what became of a call, told to whoever has its receipt, for 24 hours.

A receipt in Redis is a hash: `conversation` and `variables` (how many), and facts with the moment since when they hold:
`accepted`; `message` or `late` (it brought one); `applied`, `ended` (the conversation was over before), `given-up`;
`routed`, `kept`, `dropped`; `read:<interaction>`. A dead letter that is retried has both `given-up` and `applied`.
"""

import re
from collections.abc import Awaitable
from typing import cast

import msgspec
from arq.connections import ArqRedis

from shared.dialog.receipts import READ
from shared.queue.records import StoredEvent
from shared.store import keys
from shared.store.connection import translated

_PUBLIC = re.compile(r"(?P<id>[0-9]{1,5}-[0-9a-f]{32})(?:-[0-9]{1,15})?", re.ASCII)
_LAST_FIELD = re.compile(rb'"receipt":"([0-9]+-[0-9a-f]+)"}\Z')
_STATES = ("applied", "ended", "given-up", "accepted")
_MESSAGES = ("routed", "kept", "dropped", "late", "message")


class Receipt(msgspec.Struct, frozen=True):
    """What became of a Web View call: `state` since `since`, and its `message`. Times are ms by Redis' clock.

    `state` is `accepted`, `applied`, `ended` or `given-up`; `message` is `none`, `queued`, `late`, `routed`, `kept` or
    `dropped`; `read_by` are interactions with the moment of the first turn in which each read a variable of the call.
    """

    conversation_id: str
    variables: int
    accepted_at: int
    state: str
    since: int
    message: str
    read_by: list[tuple[str, int]]


def public_id(receipt_id: str, sequence: int) -> str:
    """Return a receipt as forms are given it: the place of their call in the conversation stands behind it."""
    return f"{receipt_id}-{sequence}"


def receipt_in(event: StoredEvent) -> str:
    """Return the id of the receipt that an event of the inbox names, empty when it names none."""
    found = _LAST_FIELD.search(event.body) if event.kind == "web_view" else None
    return found[1].decode() if found else ""


async def read_receipt(redis: ArqRedis, public: str) -> Receipt | None:
    """Return a receipt, None when there is none (any more). Any text is allowed. Raises RedisUnreachable."""
    found = _PUBLIC.fullmatch(public)
    if found is None:
        return None
    with translated():
        stored = await cast("Awaitable[dict[bytes, bytes]]", redis.hgetall(keys.receipt(found["id"])))
    if not stored:
        return None
    facts = {name.decode(): value.decode() for name, value in stored.items()}
    conversation_id, variables = facts.pop("conversation"), int(facts.pop("variables"))
    since = {fact: int(at) for fact, at in facts.items()}
    state = next(state for state in _STATES if state in since)
    message = next((word for word in _MESSAGES if word in since), "none")
    read_by = sorted(
        ((fact.removeprefix(READ), at) for fact, at in since.items() if fact.startswith(READ)),
        key=lambda reader: reader[1],
    )
    return Receipt(
        conversation_id=conversation_id,
        variables=variables,
        accepted_at=since["accepted"],
        state=state,
        since=since[state],
        message="queued" if message == "message" else message,
        read_by=read_by,
    )
