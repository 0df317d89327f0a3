"""COMMIT and RELEASE: what a turn changes, and who has the conversation next."""

from shared.queue.mailbox import MOST_BATCHES, Mailbox
from shared.queue.records import CallRecord, Commit, ContextField, DeadEvent
from shared.store import keys
from tests.store.conftest import Finish, MakesMailbox, Own, Raw, Say, Shifts, Starts, State

DAY = 24 * 3600 * 1000


async def begun(talk: str, say: Say, own: Own, fence: str = "f1") -> None:
    await say(talk)
    await own(talk, fence)


async def test_a_commit_stores_the_session_trims_the_inbox_and_gives_the_conversation_back(
    mailbox: Mailbox, redis: Raw, conversation: Starts, say: Say, own: Own, state: State
) -> None:
    talk = await conversation()
    await begun(talk, say, own)
    commit = Commit(fence="f1", next_fence="f2", consumed=1, session={"a": b"1", "b": b"\xff"}, replies=[b'{"n":1}'])
    committed = await mailbox.commit(talk, commit)
    assert (committed.state, committed.turn) == ("idle", 1)
    assert await redis.hgetall(keys.session(talk)) == {b"a": b"1", b"b": b"\xff"}
    assert await redis.llen(keys.inbox(talk)) == 0
    assert await state(talk) == "idle"
    assert await redis.hget(keys.conv(talk), "fence") is None
    assert await redis.zscore(keys.due(0), talk) is None


async def test_a_commit_sent_twice_is_refused_and_stores_nothing_again(
    mailbox: Mailbox, conversation: Starts, say: Say, own: Own
) -> None:
    talk = await conversation()
    await begun(talk, say, own)
    await say(talk)
    commit = Commit(fence="f1", next_fence="f2", consumed=1, replies=[b"{}"], writes=[])
    assert (await mailbox.commit(talk, commit)).state == "running"
    assert (await mailbox.commit(talk, commit)).state == "refused"
    page = await mailbox.read(talk, 2)
    assert page is not None
    assert len(page.messages) == 1


async def test_session_fields_are_set_and_removed_and_none_leave_the_session_untouched(
    redis: Raw, conversation: Starts, say: Say, own: Own, finish: Finish
) -> None:
    talk = await conversation()
    await begun(talk, say, own)
    await finish(talk, session={"a": b"1", "b": b"2"})
    await begun(talk, say, own, "f2")
    await finish(talk, "f2", session={"c": b"3"}, session_remove=["a", "never"])
    await begun(talk, say, own, "f3")
    await finish(talk, "f3")
    assert await redis.hgetall(keys.session(talk)) == {b"b": b"2", b"c": b"3"}


async def test_the_session_outlives_its_deadline_and_that_of_a_call_by_a_minute(
    redis: Raw, conversation: Starts, say: Say, own: Own, finish: Finish
) -> None:
    talk = await conversation(session_ms=5000)
    await begun(talk, say, own)
    call = CallRecord(f"{talk}.1", "api", "v", b"", 10_000, 200_000)
    await finish(talk, session={"a": b"1"}, call=call)
    assert 260_000 < await redis.pttl(keys.session(talk)) <= 270_000
    await say(talk)  # renewing the session does not shorten this
    assert await redis.pttl(keys.session(talk)) > 260_000


async def test_a_session_committed_after_its_deadline_stays_for_the_events_that_are_left(
    redis: Raw, conversation: Starts, say: Say, own: Own, finish: Finish, shift: Shifts
) -> None:
    talk = await conversation()
    await begun(talk, say, own)
    await shift(talk, session_until=-3_600_000)
    await finish(talk, session={"a": b"1"})
    assert await redis.pttl(keys.session(talk)) > 50_000


async def test_a_new_session_length_counts_from_the_consumers_last_event(
    redis: Raw, conversation: Starts, say: Say, own: Own, finish: Finish
) -> None:
    talk = await conversation(session_ms=1000)
    await begun(talk, say, own)
    before = int(await redis.hget(keys.conv(talk), "session_until") or 0)
    await finish(talk, session={"a": b"1"}, session_ms=600_000)
    assert int(await redis.hget(keys.conv(talk), "session_until") or 0) == before + 599_000
    assert await redis.pttl(keys.session(talk)) > 650_000


async def test_replies_follow_the_messages_in_the_order_they_were_made(
    mailbox: Mailbox, conversation: Starts, say: Say, own: Own, finish: Finish
) -> None:
    talk = await conversation()
    await begun(talk, say, own)
    await say(talk)
    await finish(talk, replies=[b'{"n":1}', b'{"n":2}'])
    page = await mailbox.read(talk, 0)
    assert page is not None
    assert [(sequence, body[:4]) for sequence, _, body in page.messages] == [
        (1, b'{"fr'),
        (2, b'{"fr'),
        (3, b'{"n"'),
        (4, b'{"n"'),
    ]


async def test_a_question_is_remembered_by_the_sequence_after_its_replies(
    mailbox: Mailbox, conversation: Starts, say: Say, own: Own
) -> None:
    talk = await conversation()
    await begun(talk, say, own)
    commit = Commit(fence="f1", next_fence="f2", consumed=1, replies=[b"{}", b"{}"], asks=True)
    assert (await mailbox.commit(talk, commit)).asked == 3
    assert await say(talk) == 4
    assert (await own(talk, "f3")).asked == 3


async def test_more_to_do_goes_on_under_the_next_fence(
    mailbox: Mailbox, conversation: Starts, say: Say, own: Own, finish: Finish
) -> None:
    talk = await conversation()
    await begun(talk, say, own)
    await say(talk)
    committed = await mailbox.commit(talk, Commit(fence="f1", next_fence="f2", consumed=1))
    assert committed.state == "running"
    assert [event.sequence for event in committed.events] == [2]
    assert not await mailbox.renew(talk, "f1")
    assert await mailbox.renew(talk, "f2")
    assert await finish(talk, "f2") == "idle"


async def test_after_eight_batches_the_conversation_goes_to_the_back_of_the_queue(
    mailbox: Mailbox, redis: Raw, conversation: Starts, say: Say, own: Own, state: State
) -> None:
    talk = await conversation()
    await begun(talk, say, own, "f0")
    for number in range(MOST_BATCHES):
        await say(talk)
        commit = Commit(fence=f"f{number}", next_fence=f"f{number + 1}", consumed=1)
        committed = await mailbox.commit(talk, commit)
        assert committed.state == ("queued" if number == MOST_BATCHES - 1 else "running")
    assert await state(talk) == "queued"
    assert await redis.zcard(keys.dialog_queue(0)) == 2
    assert len((await own(talk, "f9")).events) == 1


async def test_writes_keep_the_conversation_running_until_they_are_released(
    mailbox: Mailbox, redis: Raw, conversation: Starts, say: Say, own: Own, state: State
) -> None:
    talk = await conversation()
    await begun(talk, say, own)
    committed = await mailbox.commit(talk, Commit(fence="f1", next_fence="f2", consumed=1, writes=[b"w|1", b"w2"]))
    assert committed.state == "writes"
    stamps = [write.split(b"|", 4) for write in committed.writes]
    assert [(conv, turn, index, body) for _, conv, turn, index, body in stamps] == [
        (talk.encode(), b"1", b"1", b"w|1"),
        (talk.encode(), b"1", b"2", b"w2"),
    ]
    assert await state(talk) == "running"
    assert (await mailbox.release(talk, "f1", "f3")).state == "refused"
    assert (await mailbox.release(talk, "f2", "f3")).state == "idle"
    assert (await mailbox.release(talk, "f2", "f3")).state == "refused"
    assert not await redis.exists(keys.writes(talk))


async def test_events_left_when_a_turn_closes_the_conversation_go_to_the_dead(
    mailbox: Mailbox, redis: Raw, conversation: Starts, say: Say, own: Own, finish: Finish
) -> None:
    talk = await conversation()
    await begun(talk, say, own)
    await say(talk, "too\nlate")
    await mailbox.ingest_web_view(talk, "r", b"\x00|form", None)
    assert await finish(talk, status="closed") == "idle"
    entries = await redis.xrange(keys.dead(0))
    assert [(entry[b"reason"], entry[b"kind"], entry[b"conversation"]) for _, entry in entries] == [
        (b"closed", b"message", talk.encode()),
        (b"closed", b"web_view", talk.encode()),
    ]
    assert b"too" in entries[0][1][b"body"]
    assert entries[1][1][b"body"] == b"\x00|form"
    assert 29 * DAY < await redis.pttl(keys.dead(0)) <= 30 * DAY
    page = await mailbox.read(talk, 0)
    assert page is not None
    assert page.status == "closed"


async def test_an_event_given_up_goes_to_the_dead_with_its_reason_and_the_session_stays(
    redis: Raw, conversation: Starts, say: Say, own: Own, finish: Finish
) -> None:
    talk = await conversation()
    await begun(talk, say, own)
    await finish(talk, session={"a": b"1"})
    await begun(talk, say, own, "f2")
    dead = DeadEvent(reason="engine", kind="message", body=b"\x00\xff")
    assert await finish(talk, "f2", dead=[dead], replies=[b'{"text":"sorry"}']) == "idle"
    [(_, entry)] = await redis.xrange(keys.dead(0))
    assert (entry[b"reason"], entry[b"bot"], entry[b"body"]) == (b"engine", b"bot", b"\x00\xff")
    assert await redis.hgetall(keys.session(talk)) == {b"a": b"1"}


async def test_the_dead_are_forgotten_after_thirty_days(
    redis: Raw, conversation: Starts, say: Say, own: Own, finish: Finish
) -> None:
    for number in range(300):  # streams are trimmed by whole nodes of 100 entries
        await redis.xadd(keys.dead(0), {"reason": "old"}, id=f"{1000 + number}-0")
    await redis.expire(keys.dead(0), 60)
    talk = await conversation()
    await begun(talk, say, own)
    await finish(talk, dead=[DeadEvent("engine", "message", b"")])
    assert await redis.xlen(keys.dead(0)) < 150


async def test_traces_are_kept_for_the_last_hundred_turns(
    mailbox: Mailbox, redis: Raw, conversation: Starts, say: Say, own: Own, finish: Finish
) -> None:
    talk = await conversation()
    await begun(talk, say, own)
    await redis.rpush(keys.trace(talk), *[f"0|{n}" for n in range(100)])
    await redis.expire(keys.trace(talk), 60)
    await finish(talk, trace=b'{"turn":1,"|":2}')
    traces = await mailbox.trace(talk, -1)
    assert traces is not None
    assert len(traces) == 100
    assert await mailbox.trace(talk, 0) == [b'{"turn":1,"|":2}']
    assert await mailbox.trace(talk, 1) == []
    assert 3_500_000 < await redis.pttl(keys.trace(talk)) <= 3_600_000


async def test_lives_are_renewed_when_a_thousandth_of_them_has_passed(
    redis: Raw, conversation: Starts, say: Say, own: Own, finish: Finish
) -> None:
    talk = await conversation()
    await begun(talk, say, own)
    await finish(talk, replies=[b"{}"])
    whole, thousandth = 7 * DAY, 7 * DAY // 1000
    for passed, expected in ((thousandth // 2, whole - thousandth // 2), (2 * thousandth, whole)):
        kept = int(await redis.hget(keys.conv(talk), "kept") or 0)
        await redis.hset(keys.conv(talk), "kept", str(kept - passed))
        for key in (keys.conv(talk), keys.outbox(talk)):
            await redis.pexpire(key, whole - passed)
        await say(talk, message_id=f"after {passed}")
        for key in (keys.conv(talk), keys.outbox(talk)):
            assert expected - 10_000 < await redis.pttl(key) <= expected


async def test_a_session_that_was_lost_in_mid_turn_is_stored_with_a_life(
    redis: Raw, conversation: Starts, say: Say, own: Own, finish: Finish
) -> None:
    talk = await conversation()
    await begun(talk, say, own)
    await finish(talk, session={"a": b"1"})
    await begun(talk, say, own, "f2")
    await redis.delete(keys.session(talk))
    await finish(talk, "f2", session={"a": b"2", "b": b"3"})
    assert await redis.pttl(keys.session(talk)) > 60_000


async def test_context_data_live_as_long_as_their_longest_field(
    redis: Raw, conversation: Starts, say: Say, own: Own, finish: Finish
) -> None:
    talk = await conversation()
    await say(talk)
    now = (await own(talk)).events[0].at
    await finish(talk, context=[ContextField("a", b"1", now + 90_000), ContextField("b", b"2", now + 50_000)])
    assert 80_000 < await redis.pttl(keys.context(talk)) <= 90_000
    await begun(talk, say, own, "f2")
    await finish(talk, "f2", context=[ContextField("a", None), ContextField("c", b"|3|")])
    assert await redis.pttl(keys.context(talk)) > 6.9 * DAY
    await redis.expire(keys.context(talk), 60)
    await redis.hset(keys.conv(talk), "kept", "0")  # as if a thousandth of its life had passed
    await begun(talk, say, own, "f3")
    assert await redis.pttl(keys.context(talk)) > 6.9 * DAY, "data without expiry live as long as the conversation"
    await finish(talk, "f3")
    await say(talk)
    assert (await own(talk, "f4")).context == {"b": b"2", "c": b"|3|"}


async def test_a_turn_may_change_hundreds_of_fields_and_megabytes(
    mailbox_with: MakesMailbox, redis: Raw, conversation: Starts, say: Say, own: Own, finish: Finish
) -> None:
    talk = await conversation()
    await begun(talk, say, own)
    await finish(talk, session={f"v{n}": bytes(4000) for n in range(1000)}, replies=[b"{}"] * 100)
    assert await redis.hlen(keys.session(talk)) == 1000
    await begun(talk, say, own, "f2")
    await finish(talk, "f2", session_remove=[f"v{n}" for n in range(1000)])
    assert not await redis.exists(keys.session(talk))
