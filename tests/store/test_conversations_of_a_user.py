"""Which conversations a user has: known as long as one of them lives, and bounded however many have ended."""

from shared.queue.mailbox import Mailbox
from shared.store import keys
from tests.store.conftest import WEEK, Raw, Say, Starts

HOUR, DAY = 3600 * 1000, 24 * 3600 * 1000
LISTED = keys.conversations(0, "user")


async def test_a_new_conversation_is_its_users(mailbox: Mailbox, redis: Raw, conversation: Starts) -> None:
    first, second = await conversation(), await conversation()
    await conversation(user_id="somebody {else}:*")
    assert set(await mailbox.conversations(0, "user")) == {first, second}
    assert len(await mailbox.conversations(0, "somebody {else}:*")) == 1
    assert HOUR < await redis.pttl(LISTED) <= HOUR + DAY


async def test_what_has_ended_makes_room_for_what_begins(mailbox: Mailbox, redis: Raw, conversation: Starts) -> None:
    for _ in range(20):
        await redis.delete(keys.conv(await conversation()))
    assert len(await mailbox.conversations(0, "user")) == 1


async def test_one_that_has_expired_leaves_the_list_of_its_user(
    mailbox: Mailbox, redis: Raw, conversation: Starts
) -> None:
    gone, kept = await conversation(), await conversation()
    await redis.delete(keys.conv(gone))
    for talk in (gone, kept):
        await redis.zadd(keys.alive(0), {f"{talk}|user": 1})
    await mailbox.sweep(0, "me")
    assert await mailbox.conversations(0, "user") == [kept]
    await redis.delete(keys.conv(kept))
    await redis.zadd(keys.alive(0), {f"{kept}|user": 1})
    await mailbox.sweep(0, "me")
    assert await redis.exists(LISTED) == 0


async def test_the_list_lives_as_long_as_the_longest_conversation(
    mailbox: Mailbox, redis: Raw, conversation: Starts, say: Say
) -> None:
    talk = await conversation()
    await say(talk)
    await redis.delete(LISTED)  # written before there were lists
    await redis.zadd(keys.alive(0), {talk: 1})
    await mailbox.sweep(0, "me")
    assert await mailbox.conversations(0, "user") == [talk]
    assert await redis.pttl(LISTED) > WEEK * 1000
    await conversation()
    assert await redis.pttl(LISTED) > WEEK * 1000


async def test_a_key_is_kept_once_and_by_a_conversation_that_is_there(mailbox: Mailbox, conversation: Starts) -> None:
    talk, other = await conversation(), await conversation(seal=b"its own")
    assert await mailbox.keep_seal(talk, b"first") == b"first"
    assert await mailbox.keep_seal(talk, b"second") == b"first"
    assert await mailbox.keep_seal(other, b"second") == b"its own"
    assert await mailbox.keep_seal(keys.new_conversation_id(0), b"late") == b""
