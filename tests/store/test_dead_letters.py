"""Dead letters: found by what they are about, put back once, and dropped."""

import pytest

from shared.dialog.events import CallOutcome
from shared.queue.dead import DeadLetter, DeadLetters, Retried
from shared.queue.mailbox import Mailbox
from shared.queue.records import DeadEvent
from shared.store import keys
from tests.store.conftest import WEEK, Finish, MakesMailbox, Own, Raw, Say, Shifts, Starts, State, assert_all_expire


@pytest.fixture
def letters(redis: Raw) -> DeadLetters:
    return DeadLetters(redis, shards=3, conversation_ttl=WEEK, inbox_limit=10)


async def bury(talk: str, own: Own, finish: Finish, kind: str = "message", fence: str = "f1") -> None:
    """Give up the event that waits in a conversation."""
    batch = await own(talk, fence)
    await finish(talk, fence, dead=[DeadEvent("engine", kind, batch.events[0].body, "KeyError in advance")])


async def test_a_letter_tells_everything_that_commit_knew(
    letters: DeadLetters, conversation: Starts, say: Say, own: Own, finish: Finish
) -> None:
    talk = await conversation(bot_id="shop")
    await say(talk, "broken")
    await bury(talk, own, finish)
    [letter] = await letters.newest(10)
    assert letter == DeadLetter(
        id=letter.id,
        at=letter.at,
        reason="engine",
        kind="message",
        conversation_id=talk,
        bot_id="shop",
        body=b'{"type":"message","text":"broken"}',
        note="KeyError in advance",
        user_id="user",
    )
    assert letter.id == f"0/{letter.at}-0"
    assert await letters.find(letter.id) == letter


async def test_letters_of_all_shards_are_listed_newest_first_and_by_bot_and_conversation(
    letters: DeadLetters, redis: Raw
) -> None:
    talks = [keys.new_conversation_id(shard) for shard in (0, 1, 2)]
    for at in range(1, 131):  # more than a page of each shard
        shard = at % 3
        fields = {"reason": "engine", "kind": "message", "conversation": talks[shard], "bot": f"bot {at % 2}"}
        await redis.xadd(keys.dead(shard), fields, id=f"{at}-0")
    assert [letter.at for letter in await letters.newest(4)] == [130, 129, 128, 127]
    assert [letter.at for letter in await letters.newest(1000)] == list(range(130, 0, -1))
    assert {letter.id[0] for letter in await letters.newest(100, conversation_id=talks[1])} == {"1"}
    assert [letter.at for letter in await letters.newest(2, bot_id="bot 1", conversation_id=talks[2])] == [125, 119]


async def test_a_retried_event_comes_after_what_was_said_meanwhile(
    letters: DeadLetters, redis: Raw, conversation: Starts, say: Say, own: Own, finish: Finish
) -> None:
    talk = await conversation()
    await say(talk, "broken")
    await bury(talk, own, finish)
    later = await say(talk, "later")
    [letter] = await letters.newest(1)
    retried = await letters.retry(letter)
    await assert_all_expire(redis)
    assert retried == Retried("retried", later + 1)
    events = (await own(talk, "f2")).events
    assert [event.sequence for event in events] == [later, later + 1]
    assert (events[1].kind, events[1].body) == ("message", letter.body)
    assert events[1].busy
    assert await letters.newest(1) == []


async def test_a_retry_sent_twice_is_one_event_and_answered_alike(
    letters: DeadLetters, conversation: Starts, say: Say, own: Own, finish: Finish
) -> None:
    talk = await conversation()
    await say(talk)
    await bury(talk, own, finish)
    [letter] = await letters.newest(1)
    assert await letters.retry(letter) == await letters.retry(letter) == Retried("retried", 2)
    assert [event.sequence for event in (await own(talk, "f2")).events] == [2]


async def test_a_retry_wakes_an_idle_conversation_and_its_message_is_not_shown_again(
    letters: DeadLetters, mailbox: Mailbox, conversation: Starts, say: Say, own: Own, finish: Finish, state: State
) -> None:
    talk = await conversation()
    await say(talk)
    await bury(talk, own, finish)
    assert await state(talk) == "idle"
    await letters.retry((await letters.newest(1))[0])
    assert await state(talk) == "queued"
    page = await mailbox.read(talk, 0)
    assert page is not None
    assert len(page.messages) == 1


async def test_a_retry_after_the_session_has_ended_begins_a_new_one(
    letters: DeadLetters, conversation: Starts, say: Say, own: Own, finish: Finish, shift: Shifts
) -> None:
    talk = await conversation()
    await say(talk)
    await bury(talk, own, finish)
    await shift(talk, session_until=-1)
    await letters.retry((await letters.newest(1))[0])
    [event] = (await own(talk, "f2")).events
    assert event.new_session


@pytest.mark.parametrize(("hours", "late"), [(23, False), (25, True)])
async def test_a_form_message_that_is_retried_a_day_later_is_late(
    hours: int,
    late: bool,
    letters: DeadLetters,
    conversation: Starts,
    say: Say,
    own: Own,
    finish: Finish,
    shift: Shifts,
) -> None:
    talk = await conversation()
    await say(talk)
    await bury(talk, own, finish, kind="web_view")
    await shift(talk, said=-hours * 3_600_000)
    await letters.retry((await letters.newest(1))[0])
    [event] = (await own(talk, "f2")).events
    assert (event.kind, event.late) == ("web_view", late)


async def test_a_closed_a_full_and_an_expired_conversation_take_nothing_and_the_letter_stays(
    letters: DeadLetters,
    redis: Raw,
    mailbox_with: MakesMailbox,
    conversation: Starts,
    say: Say,
    own: Own,
    finish: Finish,
) -> None:
    talk = await conversation()
    await say(talk)
    await bury(talk, own, finish)
    [letter] = await letters.newest(1)
    await redis.hset(keys.conv(talk), "status", "closed")
    assert await letters.retry(letter) == Retried("closed")
    await redis.hset(keys.conv(talk), "status", "open")
    for _ in range(10):
        await say(talk)
    assert await letters.retry(letter) == Retried("full")
    await redis.delete(keys.inbox(talk))
    await redis.rpush(keys.inbox(talk), b"x" * (9 << 20))
    assert await letters.retry(letter) == Retried("full")
    await redis.delete(keys.conv(talk))
    assert await letters.retry(letter) == Retried("gone")
    assert await letters.newest(1) == [letter]


async def test_the_outcome_of_a_call_is_not_retried(
    letters: DeadLetters, conversation: Starts, say: Say, own: Own, finish: Finish, state: State
) -> None:
    talk = await conversation()
    await say(talk)
    await bury(talk, own, finish, kind=str(CallOutcome.__struct_config__.tag))
    assert await letters.retry((await letters.newest(1))[0]) == Retried("outcome")
    assert await state(talk) == "idle"


async def test_a_letter_that_was_dropped_is_missing(
    letters: DeadLetters, conversation: Starts, say: Say, own: Own, finish: Finish, redis: Raw
) -> None:
    talk = await conversation()
    for fence in ("f1", "f2", "f3"):
        await say(talk)
        await bury(talk, own, finish, fence=fence)
    newest, *others = await letters.newest(10)
    assert await letters.drop([newest.id, newest.id, "2/1-0"]) == [newest.id]
    assert await letters.retry(newest) == Retried("missing")
    assert await letters.newest(10) == others
    assert await letters.drop_all() == 2
    assert await letters.newest(10) == []
    assert await redis.llen(keys.inbox(talk)) == 0


async def test_a_letter_of_another_conversation_is_never_taken(
    letters: DeadLetters, conversation: Starts, say: Say, own: Own, finish: Finish
) -> None:
    talk, other = await conversation(), await conversation()
    await say(talk)
    await bury(talk, own, finish)
    [letter] = await letters.newest(1)
    forged = DeadLetter(letter.id, letter.at, letter.reason, letter.kind, other, letter.bot_id, letter.body)
    assert await letters.retry(forged) == Retried("missing")
    assert await letters.newest(1) == [letter]


@pytest.mark.parametrize("text", ["", "1", "0/", "0/1", "0/1-", "x/1-0", "0/1-0\n", "0/²-0"])
async def test_a_text_that_is_no_id_is_told_from_one(letters: DeadLetters, text: str) -> None:
    with pytest.raises(ValueError, match="<shard>/<entry>"):
        await letters.find(text)
