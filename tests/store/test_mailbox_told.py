"""What INGEST and COMMIT tell on `notify:{sN}`: put together, the hints of a conversation are its outbox."""

from shared.queue import entries
from shared.queue.mailbox import Mailbox
from shared.queue.records import Told
from shared.store import keys
from tests.store.conftest import Finish, Own, Raw, Say, Starts


async def told(redis: Raw, listener: Raw) -> list[Told]:
    """What a listener has been told, up to now."""
    await redis.publish(keys.notify(0), "the end")
    found = []
    while (heard := await listener.get_message(timeout=60))["data"] != b"the end":
        found.append(entries.told(heard["data"]))
    return found


async def test_hints_put_together_are_the_outbox(
    mailbox: Mailbox, redis: Raw, conversation: Starts, say: Say, own: Own, finish: Finish
) -> None:
    talk = await conversation()
    async with redis.pubsub() as listener:
        await listener.subscribe(keys.notify(0))
        await listener.get_message(timeout=60)  # that it listens
        await say(talk)
        await own(talk)
        await finish(talk, replies=[b'{"text":"a\\nb"}', b'{"x":\n1}'])
        await say(talk)
        hints = await told(redis, listener)
    page = await mailbox.read(talk, 0)
    assert page is not None
    assert [message for hint in hints for message in hint.messages] == page.messages
    assert [hint.after for hint in hints] == [0, 1, 3]


async def test_a_turn_without_replies_and_large_replies_are_told_by_the_id_alone(
    redis: Raw, conversation: Starts, say: Say, own: Own, finish: Finish
) -> None:
    talk = await conversation()
    await say(talk)
    await own(talk)
    async with redis.pubsub() as listener:
        await listener.subscribe(keys.notify(0))
        await listener.get_message(timeout=60)  # that it listens
        await finish(talk)
        await say(talk)
        await own(talk, "f2")
        await finish(talk, "f2", replies=[b'{"text":"%s"}' % (b"x" * 17_000)])
        hints = await told(redis, listener)
    assert [hint.after for hint in hints] == [None, 1, None]
