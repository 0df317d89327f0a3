"""CREATE and INGEST: what is accepted, once, in order, and what is refused."""

from shared.queue import entries, jobs
from shared.queue.mailbox import Mailbox
from shared.queue.records import NewConversation
from shared.store import keys
from tests.store.conftest import Finish, MakesMailbox, Own, Raw, Say, Shifts, Starts, State

BINARY = b'\x00|\xff\n{"a":1}|'
DAY = 24 * 3600 * 1000


async def test_a_repeated_create_changes_nothing_and_is_answered_alike(mailbox: Mailbox, redis: Raw) -> None:
    new = NewConversation(id=keys.new_conversation_id(0), bot_id="b", user_id="u", channel="c", profile=BINARY)
    first = await mailbox.create(new)
    before = await redis.hgetall(keys.conv(new.id))
    assert await mailbox.create(new) == first
    assert await redis.hgetall(keys.conv(new.id)) == before
    about = await mailbox.about(new.id)
    assert about is not None
    assert (about.bot_id, about.user_id, about.status, about.created_at) == ("b", "u", "open", first)


async def test_nothing_is_known_of_a_conversation_that_never_was(mailbox: Mailbox) -> None:
    assert await mailbox.about(keys.new_conversation_id(0)) is None
    assert await mailbox.about("any text") is None
    assert await mailbox.trace(keys.new_conversation_id(0), 0) is None
    assert await mailbox.trace("any text", 0) is None


async def test_a_conversation_lives_one_hour_until_the_first_message_and_then_a_week(
    mailbox: Mailbox, redis: Raw, conversation: Starts, say: Say
) -> None:
    talk = await conversation()
    assert 3_590_000 < await redis.pttl(keys.conv(talk)) <= 3_600_000
    await mailbox.ingest_web_view(talk, "r", b"{}", None)
    assert await redis.pttl(keys.conv(talk)) <= 3_600_000
    await say(talk)
    assert await redis.pttl(keys.conv(talk)) > 6.9 * DAY
    assert await redis.pttl(keys.inbox(talk)) > 6.9 * DAY


async def test_a_message_is_queued_echoed_and_announced(
    mailbox: Mailbox, redis: Raw, conversation: Starts, state: State
) -> None:
    talk = await conversation()
    async with redis.pubsub() as listener:
        await listener.subscribe(keys.notify(0))
        await listener.get_message(timeout=60)
        accepted = await mailbox.ingest_message(talk, "m", BINARY, b'{"text":"hi"}')
        announced = await listener.get_message(timeout=60)
    assert (accepted.outcome, accepted.sequence) == ("accepted", 1)
    told = entries.told(announced["data"])
    assert (told.conversation_id, told.after) == (talk, 0)
    assert [(sequence, body) for sequence, _, body in told.messages] == [(1, b'{"text":"hi"}')]
    assert await state(talk) == "queued"
    page = await mailbox.read(talk, 0)
    assert page is not None
    assert page.messages == [(1, accepted.at, b'{"text":"hi"}')]


async def test_the_job_is_arqs_and_rings_the_bell(redis: Raw, conversation: Starts, say: Say) -> None:
    talk = await conversation()
    await say(talk)
    queue = keys.dialog_queue(0)
    [(job_id, score)] = await redis.zrange(queue, 0, -1, withscores=True)
    assert await redis.lrange(keys.bell(queue), 0, -1) == [job_id]
    payload = await redis.get(b"arq:job:" + job_id)
    job = jobs.deserialize(payload)
    assert job == {**jobs.deserialize(jobs.advance_payload(talk)), "et": int(score)}


async def test_a_conversation_has_one_job_however_many_messages_come(
    redis: Raw, conversation: Starts, say: Say
) -> None:
    talk = await conversation()
    for _ in range(5):
        await say(talk)
    assert await redis.zcard(keys.dialog_queue(0)) == 1


async def test_the_bell_is_capped(redis: Raw, conversation: Starts, say: Say) -> None:
    bell = keys.bell(keys.dialog_queue(0))
    await redis.rpush(bell, *["old"] * 3000)
    await say(await conversation())
    assert await redis.llen(bell) == jobs.BELL_LIMIT
    assert await redis.lindex(bell, -1) != b"old"


async def test_a_message_id_seen_before_is_answered_as_the_first_time(
    mailbox: Mailbox, conversation: Starts, say: Say, own: Own
) -> None:
    talk = await conversation()
    first = await say(talk, "one", "id-1")
    await say(talk, "two", "id-2")
    again = await mailbox.ingest_message(talk, "id-1", b"{}", b"{}")
    assert (again.outcome, again.sequence) == ("duplicate", first)
    assert [event.sequence for event in (await own(talk)).events] == [1, 2]


async def test_message_ids_are_remembered_up_to_a_limit(
    mailbox: Mailbox, redis: Raw, conversation: Starts, say: Say
) -> None:
    talk = await conversation()
    await redis.zadd(keys.seen(talk), {f"old-{i}": 1 + i for i in range(2000)})
    await redis.hset(keys.conv(talk), "seq", "2000")
    await redis.expire(keys.seen(talk), 60)
    await say(talk, message_id="new")
    assert await redis.zcard(keys.seen(talk)) == 2000
    assert await redis.zscore(keys.seen(talk), "old-0") is None
    assert await redis.pttl(keys.seen(talk)) > DAY - 10_000
    assert (await mailbox.ingest_message(talk, "old-1", b"{}", b"{}")).outcome == "duplicate"


async def test_message_ids_are_not_known_longer_than_their_conversation(mailbox_with: MakesMailbox, redis: Raw) -> None:
    mailbox = mailbox_with(conversation_ttl=60)
    new = NewConversation(keys.new_conversation_id(0), "bot", "user", "web")
    await mailbox.create(new)
    await mailbox.ingest_message(new.id, "m1", b"event", b"")
    assert await redis.pttl(keys.seen(new.id)) <= 60_000


async def test_a_full_inbox_refuses_but_still_knows_its_duplicates(
    mailbox_with: MakesMailbox, conversation: Starts, say: Say
) -> None:
    talk = await conversation()
    small = mailbox_with(inbox_limit=2)
    await say(talk, message_id="a")
    await say(talk, message_id="b")
    assert (await small.ingest_message(talk, "c", b"{}", b"{}")).outcome == "full"
    assert (await small.ingest_web_view(talk, "r", b"{}", None)).outcome == "full"
    assert (await small.ingest_message(talk, "a", b"{}", b"{}")).outcome == "duplicate"


async def test_an_inbox_holds_no_more_than_its_bytes_and_takes_more_when_some_were_handled(
    mailbox_with: MakesMailbox, conversation: Starts, own: Own, finish: Finish
) -> None:
    talk = await conversation()
    small = mailbox_with(inbox_bytes=100_000)
    form = b"x" * 40_000
    assert (await small.ingest_web_view(talk, "r1", form, None)).outcome == "accepted"
    assert (await small.ingest_web_view(talk, "r2", form, None)).outcome == "accepted"
    assert (await small.ingest_web_view(talk, "r3", form, None)).outcome == "full"
    assert (await small.ingest_message(talk, "m1", form, b"{}")).outcome == "full"
    assert (await small.ingest_message(talk, "m2", b"{}", b"{}")).outcome == "accepted"
    assert (await small.ingest_web_view(talk, "r1", form, None)).outcome == "duplicate"
    await own(talk)
    await finish(talk)
    assert (await small.ingest_web_view(talk, "r3", form, None)).outcome == "accepted"


async def test_an_event_larger_than_the_bytes_of_an_inbox_is_taken_when_nothing_waits(
    mailbox_with: MakesMailbox, conversation: Starts
) -> None:
    small = mailbox_with(inbox_bytes=10)
    assert (await small.ingest_web_view(await conversation(), "r", b"x" * 40_000, None)).outcome == "accepted"


async def test_a_closed_conversation_refuses_and_a_transferred_one_accepts(
    mailbox: Mailbox, conversation: Starts, say: Say, own: Own, finish: Finish
) -> None:
    talk = await conversation()
    await say(talk, message_id="first")
    await own(talk)
    await finish(talk, status="transferred")
    await say(talk)
    await own(talk, "f2")
    await finish(talk, "f2", status="closed")
    assert (await mailbox.ingest_message(talk, "m", b"{}", b"{}")).outcome == "closed"
    assert (await mailbox.ingest_web_view(talk, "r", b"{}", None)).outcome == "closed"
    assert (await mailbox.ingest_message(talk, "first", b"{}", b"{}")).outcome == "duplicate"


async def test_the_first_event_of_a_session_carries_the_stamp(
    conversation: Starts, say: Say, own: Own, shift: Shifts
) -> None:
    talk = await conversation()
    await say(talk)
    await say(talk)
    await shift(talk, session_until=-1)
    await say(talk)
    assert [event.new_session for event in (await own(talk)).events] == [True, False, True]


async def test_a_message_renews_the_session_that_has_not_ended(
    redis: Raw, conversation: Starts, say: Say, own: Own, finish: Finish
) -> None:
    talk = await conversation(session_ms=100_000)
    await say(talk)
    await own(talk)
    await finish(talk, session={"version": b"1"})
    await redis.pexpire(keys.session(talk), 5000)
    await say(talk)
    assert 150_000 < await redis.pttl(keys.session(talk)) <= 160_000


async def test_the_data_of_an_ended_session_are_not_kept_longer(
    redis: Raw, conversation: Starts, say: Say, own: Own, finish: Finish, shift: Shifts
) -> None:
    talk = await conversation()
    await say(talk)
    await own(talk)
    await finish(talk, session={"version": b"1"})
    await shift(talk, session_until=-1)
    await redis.pexpire(keys.session(talk), 5000)
    await say(talk)
    assert await redis.pttl(keys.session(talk)) <= 5000


async def test_a_session_is_never_longer_than_the_conversation(mailbox_with: MakesMailbox, redis: Raw) -> None:
    talk = keys.new_conversation_id(0)
    new = NewConversation(id=talk, bot_id="b", user_id="u", channel="c", session_ms=10**12)
    await mailbox_with(conversation_ttl=3600).create(new)
    assert await redis.hget(keys.conv(talk), "session_ms") == b"3600000"


async def test_a_form_sent_twice_within_two_seconds_is_one_event(
    mailbox: Mailbox, redis: Raw, conversation: Starts, own: Own
) -> None:
    talk = await conversation()
    first = await mailbox.ingest_web_view(talk, "receipt", BINARY, b'{"text":"done"}')
    assert 0 < await redis.pttl(keys.posted(talk, "receipt")) <= 2000
    await redis.expire(keys.posted(talk, "receipt"), 60)  # the test may be slow
    again = await mailbox.ingest_web_view(talk, "receipt", BINARY, b'{"text":"done"}')
    assert (first.outcome, again.outcome) == ("accepted", "duplicate")
    assert (again.sequence, again.at, again.late) == (first.sequence, first.at, False)
    await redis.delete(keys.posted(talk, "receipt"))
    assert (await mailbox.ingest_web_view(talk, "receipt", BINARY, None)).outcome == "accepted"
    events = (await own(talk)).events
    assert [(event.kind, event.body) for event in events] == [("web_view", BINARY)] * 2


async def test_a_form_message_is_late_a_day_after_the_consumers_last_one_and_its_variables_are_kept(
    mailbox: Mailbox, redis: Raw, conversation: Starts, say: Say, own: Own, shift: Shifts
) -> None:
    talk = await conversation()
    await say(talk)
    await shift(talk, said=-DAY - 1000)
    late = await mailbox.ingest_web_view(talk, "r1", b"1", b'{"text":"late"}')
    await redis.expire(keys.posted(talk, "r1"), 60)
    silent = await mailbox.ingest_web_view(talk, "r2", b"2", None)
    await shift(talk, said=-DAY + 10_000)
    in_time = await mailbox.ingest_web_view(talk, "r3", b"3", b'{"text":"in time"}')
    assert [late.late, silent.late, in_time.late] == [True, False, False]
    assert (await mailbox.ingest_web_view(talk, "r1", b"1", b"{}")).late
    assert [event.late for event in (await own(talk)).events] == [False, True, False, False]
    page = await mailbox.read(talk, 1)
    assert page is not None
    assert [body for _, _, body in page.messages] == [b'{"text":"in time"}']


async def test_events_accepted_while_another_is_handled_are_marked_as_busy(
    mailbox: Mailbox, conversation: Starts, say: Say, own: Own
) -> None:
    talk = await conversation()
    await say(talk)
    await say(talk)
    await mailbox.ingest_web_view(talk, "r", b"1", None)
    assert [event.busy for event in (await own(talk)).events] == [False, True, True]


async def test_without_any_consumer_message_the_day_counts_from_the_beginning(
    mailbox: Mailbox, conversation: Starts, shift: Shifts
) -> None:
    talk = await conversation()
    await shift(talk, created=-DAY - 1000)
    assert (await mailbox.ingest_web_view(talk, "r", b"1", b"{}")).late
