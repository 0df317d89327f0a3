"""READ: messages after a cursor, with holes and gaps; and what a broken connection looks like."""

from pathlib import Path

import pytest

from shared.queue.mailbox import Mailbox
from shared.queue.records import OutboxPage
from shared.store import keys
from shared.store.connection import RedisUnreachable, connect
from tests.store.conftest import Finish, Own, Raw, Say, Starts


async def page_of(mailbox: Mailbox, talk: str, after: int, limit: int = 200) -> OutboxPage:
    page = await mailbox.read(talk, after, limit)
    assert page is not None
    return page


async def test_a_cursor_is_exclusive_and_jumps_holes(mailbox: Mailbox, conversation: Starts, say: Say) -> None:
    talk = await conversation()
    await say(talk)
    await mailbox.ingest_web_view(talk, "r", b"{}", None)  # sequence 2 has no message
    await say(talk)
    await say(talk)
    found = {after: [m[0] for m in (await page_of(mailbox, talk, after)).messages] for after in (0, 1, 2, 3, 4, 99)}
    assert found == {0: [1, 3, 4], 1: [3, 4], 2: [3, 4], 3: [4], 4: [], 99: []}
    assert (await page_of(mailbox, talk, 4)).cursor == 4
    first = await page_of(mailbox, talk, 0, limit=2)
    assert ([m[0] for m in first.messages], first.cursor) == ([1, 3], 3)


async def test_an_empty_outbox_reads_as_an_empty_page(mailbox: Mailbox, conversation: Starts) -> None:
    assert await page_of(mailbox, await conversation(), 0) == OutboxPage(messages=[], cursor=0)


async def test_who_saw_more_than_the_server_still_has_hears_what_comes_next(
    mailbox: Mailbox, redis: Raw, conversation: Starts, say: Say
) -> None:
    talk = await conversation()
    await say(talk, "kept")
    assert (await page_of(mailbox, talk, 5)).messages == []
    assert await say(talk, "new") == 6
    assert [message[0] for message in (await page_of(mailbox, talk, 5)).messages] == [6]
    await page_of(mailbox, talk, 10**12)
    assert await say(talk, "newer") == 7, "a cursor that nobody was ever given counts for nothing"


async def test_the_last_thousand_messages_are_kept_and_an_older_cursor_learns_of_the_gap(
    mailbox: Mailbox, redis: Raw, conversation: Starts, say: Say, own: Own, finish: Finish
) -> None:
    talk = await conversation()
    for _ in range(11):
        await say(talk)
        await own(talk)
        await finish(talk, replies=[b"{}"] * 100)
    assert await redis.llen(keys.outbox(talk)) == 1000
    last = 11 * 101
    oldest = last - 999
    page = await page_of(mailbox, talk, 0, limit=1)
    assert (page.messages[0][0], page.gap) == (oldest, True)
    assert (await page_of(mailbox, talk, oldest - 2)).gap
    assert not (await page_of(mailbox, talk, oldest - 1)).gap


async def test_messages_that_are_large_leave_room_for_fewer(
    mailbox: Mailbox, redis: Raw, conversation: Starts, say: Say, own: Own, finish: Finish
) -> None:
    talk = await conversation()
    await say(talk)
    await own(talk)
    await finish(talk, replies=[b"{%s}" % (b" " * (5 << 20))] * 2)
    page = await page_of(mailbox, talk, 0)
    assert ([message[0] for message in page.messages], page.gap) == ([3], True)
    await say(talk)
    assert [message[0] for message in (await page_of(mailbox, talk, 2)).messages] == [3, 4]
    assert not (await page_of(mailbox, talk, 2)).gap


async def test_a_server_that_is_away_is_told_as_our_own_exception(tmp_path: Path) -> None:
    away = connect(f"unix://{tmp_path}/nobody", retries=0)
    mailbox = Mailbox(away, conversation_ttl=1, inbox_limit=1, trace_ttl=1)
    talk = keys.new_conversation_id(0)
    for attempt in (mailbox.about(talk), mailbox.begin(talk, "j", "f"), mailbox.read(talk, 0), mailbox.sweep(0, "me")):
        with pytest.raises(RedisUnreachable, match="BOTLANE_REDIS_URL"):
            await attempt


async def test_a_server_that_has_forgotten_the_scripts_learns_them_again(
    mailbox: Mailbox, redis: Raw, conversation: Starts, say: Say
) -> None:
    talk = await conversation()
    await redis.script_flush()
    await say(talk)
    await redis.script_flush()
    assert len((await page_of(mailbox, talk, 0)).messages) == 1
