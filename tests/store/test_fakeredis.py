"""The scripts run on fakeredis as well, so a test may do without a server. It is never the only proof of a script."""

from typing import Any

from arq.connections import ArqRedis
from fakeredis import FakeAsyncRedisConnection, FakeServer
from redis.asyncio import ConnectionPool

from shared.queue import jobs
from shared.queue.mailbox import Mailbox
from shared.queue.records import Batch, CallRecord, Commit, DeadEvent, NewConversation
from shared.store import keys


async def test_a_conversation_with_a_call_goes_from_end_to_end_on_fakeredis() -> None:
    pool: Any = ConnectionPool(connection_class=FakeAsyncRedisConnection, server=FakeServer())
    redis: Any = ArqRedis(pool)
    mailbox = Mailbox(redis, conversation_ttl=3600, inbox_limit=10, trace_ttl=60)
    talk = keys.new_conversation_id(0)
    await mailbox.create(NewConversation(id=talk, bot_id="b", user_id="ü", channel="c", profile=b"\x00\xff|"))
    await mailbox.ingest_message(talk, "m", b"\xff|\x00", b"{}")
    [job] = await redis.zrange(keys.dialog_queue(0), 0, -1)
    assert jobs.deserialize(await redis.get(b"arq:job:" + job))["a"] == [talk]
    batch = await mailbox.begin(talk, "job", "f1")
    assert isinstance(batch, Batch)
    assert (batch.profile, batch.events[0].body) == (b"\x00\xff|", b"\xff|\x00")
    call = CallRecord(f"{talk}.1", "api", "v", b"\xff", 1000, 2000)
    dead = [DeadEvent("engine", "message", b"\xff")]
    commit = Commit(
        fence="f1", next_fence="f2", consumed=1, session={"a": b"\xff"}, replies=[b"{}"], call=call, dead=dead
    )
    assert (await mailbox.commit(talk, commit)).state == "waiting"
    assert (await mailbox.start(call.id, "claim")).values == b"\xff"
    assert await mailbox.result(call.id, b"\xff")
    batch = await mailbox.begin(talk, "job", "f3")
    assert isinstance(batch, Batch)
    assert batch.result is not None
    assert batch.result.body == b"\xff"
    assert (await mailbox.commit(talk, Commit(fence="f3", next_fence="f4", consumed_result=True))).state == "idle"
    assert await mailbox.sweep(0, "me") == 0
    page = await mailbox.read(talk, 0)
    assert page is not None
    assert page.cursor == 2
    await redis.aclose()
