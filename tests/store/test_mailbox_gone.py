"""A conversation that has expired: every script says so, cleans up, and writes nothing."""

from collections.abc import Awaitable, Callable

import pytest

from shared.queue.conversation_keys import conversation_keys
from shared.queue.mailbox import Mailbox
from shared.queue.records import CallRecord, CallStarted, Commit, Committed, ContextField, Ingested, NotBegun
from shared.store import keys
from tests.store.conftest import Raw, Say, Starts

SCRIPTS: dict[str, tuple[Callable[[Mailbox, str], Awaitable[object]], object]] = {
    "ingest": (lambda box, talk: box.ingest_message(talk, "m2", b"{}", b"{}"), Ingested("gone")),
    "web view": (lambda box, talk: box.ingest_web_view(talk, "r", b"{}", b"{}"), Ingested("gone")),
    "begin": (lambda box, talk: box.begin(talk, "job", "f1"), NotBegun("gone")),
    "renew": (lambda box, talk: box.renew(talk, "f1"), False),
    "commit": (
        lambda box, talk: box.commit(
            talk,
            Commit(
                fence="f1",
                next_fence="f2",
                session={"a": b"1"},
                replies=[b"{}"],
                writes=[b"w"],
                trace=b"{}",
                context=[ContextField("a", b"1")],
                call=CallRecord(f"{talk}.1", "api", "v", b"", 1, 1),
            ),
        ),
        Committed("gone"),
    ),
    "release": (lambda box, talk: box.release(talk, "f1", "f2"), Committed("gone")),
    "hand back": (lambda box, talk: box.hand_back(talk, "f1"), Committed("gone")),
    "start": (lambda box, talk: box.start(f"{talk}.1", "claim"), CallStarted("gone")),
    "finish attempt": (lambda box, talk: box.finish_attempt(f"{talk}.1", "claim", b""), False),
    "result": (lambda box, talk: box.result(f"{talk}.1", b"{}"), False),
    "sweep": (lambda box, _: box.sweep(0, "me"), 0),
    "read": (lambda box, talk: box.read(talk, 0), None),
    "trace": (lambda box, talk: box.trace(talk, 0), None),
    "about": (lambda box, talk: box.about(talk), None),
}
READERS = ("read", "trace", "about")


@pytest.mark.parametrize("script", SCRIPTS)
async def test_a_script_finds_the_conversation_gone_and_leaves_nothing_of_it(
    script: str, mailbox: Mailbox, redis: Raw, conversation: Starts, say: Say
) -> None:
    talk = await conversation()
    await say(talk)
    own_keys = conversation_keys(talk)[1:9]
    for key in (keys.session(talk), keys.context(talk), keys.call(f"{talk}.1")):
        await redis.hset(key, "old", "1")
    await redis.zadd(keys.due(0), {talk: 0})
    await redis.delete(keys.conv(talk))
    others = (
        set(await redis.keys("queue:*"))
        | set(await redis.keys("arq:*"))
        | set(await redis.keys("conversations:*"))
        | {keys.sweeper(0).encode(), keys.alive(0).encode()}
    )

    run, answer = SCRIPTS[script]
    for name in await redis.keys("*"):
        if not name.startswith((b"queue:", b"due:", b"alive:")):
            await redis.expire(name, 60)
    assert await run(mailbox, talk) == answer
    if script in READERS:
        return
    assert await redis.exists(*own_keys, keys.conv(talk)) == 0
    assert await redis.zscore(keys.due(0), talk) is None
    left = set(await redis.keys("*")) - others
    assert left <= {keys.call(f"{talk}.1").encode()}, "a call's record expires by itself"
