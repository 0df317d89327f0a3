"""The sweeper: who is lost is found behind any backlog."""

import asyncio
from typing import Any

import msgspec

from services.dialog_worker.sweeper import sweep
from shared.dialog.events import ConsumerMessage
from shared.queue.mailbox import Mailbox
from shared.queue.records import NewConversation
from shared.store import keys

Raw = Any  # redis' own annotations leave open whether a command is to be awaited
EVENT = msgspec.json.encode(ConsumerMessage("hello"))


async def queued(mailbox: Mailbox) -> str:
    talk = keys.new_conversation_id(0)
    await mailbox.create(NewConversation(talk, "bot", "user", "lp_web"))
    await mailbox.ingest_message(talk, "m", EVENT, b"{}")
    return talk


async def test_a_conversation_whose_worker_was_lost_is_found_behind_a_backlog(redis: Raw) -> None:
    mailbox = Mailbox(redis, conversation_ttl=3600, inbox_limit=10, trace_ttl=60)
    for _ in range(300):
        await redis.zadd(keys.due(0), {await queued(mailbox): 1})
    lost = await queued(mailbox)
    await mailbox.begin(lost, "job", "fence")
    await redis.hset(keys.conv(lost), "lease", 1)
    await redis.zadd(keys.due(0), {lost: 2})
    sweeping = asyncio.create_task(sweep(mailbox, 1, every=3600))
    try:
        async with asyncio.timeout(60):
            while await redis.hget(keys.conv(lost), "state") != b"queued":
                await asyncio.sleep(0.01)
    finally:
        sweeping.cancel()
