"""BEGIN, RENEW and handing back: who may write, and what an owner is given."""

import pytest

from shared.queue.mailbox import Mailbox
from shared.queue.records import Batch, CallRecord, Commit, ContextField, NotBegun
from shared.store import keys
from tests.store.conftest import Finish, MakesMailbox, Own, Raw, Say, Shifts, Starts, State, untimed


async def test_the_owner_gets_the_conversation_its_session_and_its_events_in_order(
    mailbox: Mailbox, conversation: Starts, say: Say, own: Own, finish: Finish
) -> None:
    talk = await conversation(profile=b"\x00p", user_id="ü")
    await say(talk, "one")
    await own(talk)
    await finish(talk, session={"version": b"\xff|", "é": b""}, context=[ContextField("ns|a", b"1")])
    await say(talk, "two")
    await say(talk, "three")
    batch = await own(talk, "f2")
    assert (batch.fence, batch.bot_id, batch.user_id, batch.profile) == ("f2", "bot", "ü", b"\x00p")
    assert (batch.status, batch.turn, batch.tries) == ("open", 1, 1)
    assert batch.session == {"version": b"\xff|", "é": b""}
    assert batch.context == {"ns|a": b"1"}
    assert [event.sequence for event in batch.events] == [2, 3]
    assert batch.result is None


async def test_an_owner_gets_at_most_a_batch(mailbox_with: MakesMailbox, conversation: Starts, say: Say) -> None:
    talk = await conversation()
    for _ in range(5):
        await say(talk)
    batch = await mailbox_with(batch=3).begin(talk, "job", "f1")
    assert isinstance(batch, Batch)
    assert len(batch.events) == 3


async def test_the_same_fence_gets_the_same_answer_even_when_more_has_come(
    conversation: Starts, say: Say, own: Own
) -> None:
    talk = await conversation()
    await say(talk)
    first = await own(talk)
    await say(talk)
    assert untimed(await own(talk)) == untimed(first)


async def test_a_living_owner_keeps_others_out_and_a_dead_one_does_not(
    mailbox: Mailbox, conversation: Starts, say: Say, own: Own, finish: Finish, shift: Shifts
) -> None:
    talk = await conversation()
    await say(talk)
    await own(talk, "f1")
    assert await mailbox.begin(talk, "job", "f2") == NotBegun("busy")
    await shift(talk, lease=-1)
    await own(talk, "f2")
    assert await finish(talk, "f1", replies=[b"{}"]) == "refused"
    assert not await mailbox.renew(talk, "f1")
    assert await finish(talk, "f2") == "idle"


async def test_a_lease_is_renewed_even_when_it_was_over_but_not_taken(
    mailbox: Mailbox, redis: Raw, conversation: Starts, say: Say, own: Own, shift: Shifts
) -> None:
    talk = await conversation()
    await say(talk)
    await own(talk)
    await shift(talk, lease=-1, due=-1)
    assert await mailbox.renew(talk, "f1")
    assert await mailbox.begin(talk, "job", "f2") == NotBegun("busy")
    assert await mailbox.sweep(0, "me") == 0
    assert await redis.zscore(keys.due(0), talk) == float(await redis.hget(keys.conv(talk), "lease") or 0)


async def test_an_idle_and_a_waiting_conversation_cannot_be_begun(
    mailbox: Mailbox, conversation: Starts, say: Say, own: Own, finish: Finish
) -> None:
    talk = await conversation()
    assert await mailbox.begin(talk, "job", "f1") == NotBegun("idle")
    await say(talk)
    await own(talk)
    call = CallRecord(f"{talk}.1", "api", "v", b"", 10_000, 20_000)
    assert await finish(talk, call=call) == "waiting"
    assert await mailbox.begin(talk, "job", "f2") == NotBegun("waiting")
    assert not await mailbox.renew(talk, "f1")


async def test_a_job_that_finds_nothing_to_do_makes_the_conversation_idle(
    mailbox: Mailbox, redis: Raw, conversation: Starts, say: Say, state: State
) -> None:
    talk = await conversation()
    await say(talk)
    await redis.delete(keys.inbox(talk))
    assert await mailbox.begin(talk, "job", "f1") == NotBegun("idle")
    assert await state(talk) == "idle"
    assert await redis.zscore(keys.due(0), talk) is None


async def test_a_missing_session_counts_as_the_stamp_for_the_first_event(
    redis: Raw, conversation: Starts, say: Say, own: Own, finish: Finish
) -> None:
    talk = await conversation()
    await say(talk)
    await own(talk)
    await finish(talk, session={"version": b"1"})
    await say(talk)
    await say(talk)
    await redis.delete(keys.session(talk))
    assert [event.new_session for event in (await own(talk, "f2")).events] == [True, False]


async def test_from_the_second_try_one_event_is_handed_out_until_a_commit(
    conversation: Starts, say: Say, own: Own, finish: Finish, shift: Shifts
) -> None:
    talk = await conversation()
    for _ in range(3):
        await say(talk)
    tries = []
    for number in range(3):
        batch = await own(talk, f"f{number}")
        tries.append((batch.tries, len(batch.events)))
        await shift(talk, lease=-1)
    assert tries == [(1, 3), (2, 1), (3, 1)]
    assert await finish(talk, "f2", consumed=3) == "idle"
    await say(talk)
    await say(talk)
    batch = await own(talk, "f9")
    assert (batch.tries, len(batch.events)) == (1, 2)


async def test_handing_back_queues_the_conversation_and_takes_one_try_off(
    mailbox: Mailbox, conversation: Starts, say: Say, own: Own, state: State, shift: Shifts
) -> None:
    talk = await conversation()
    await say(talk)
    await own(talk, "f1")
    await shift(talk, lease=-1)
    assert (await own(talk, "f2")).tries == 2
    assert (await mailbox.hand_back(talk, "f2")).state == "queued"
    assert await state(talk) == "queued"
    assert (await own(talk, "f3")).tries == 2
    assert (await mailbox.hand_back(talk, "f1")).state == "refused"


async def test_writes_of_a_dead_owner_come_alone_and_then_the_events(
    mailbox: Mailbox, conversation: Starts, say: Say, own: Own, finish: Finish, shift: Shifts
) -> None:
    talk = await conversation()
    await say(talk)
    await own(talk)
    await say(talk)
    assert await finish(talk, writes=[b"w"]) == "writes"
    await shift(talk, lease=-1)
    batch = await own(talk, "f2")
    assert batch.events == []
    assert [write.split(b"|")[-1] for write in batch.writes] == [b"w"]
    assert untimed(await own(talk, "f2")) == untimed(batch)
    released = await mailbox.release(talk, "f2", "f3")
    assert released.state == "running"
    assert [event.sequence for event in released.events] == [2]
    assert await finish(talk, "f3") == "idle"


async def test_a_call_of_a_dead_owner_waits_for_its_writes(
    mailbox: Mailbox, conversation: Starts, say: Say, own: Own, finish: Finish, shift: Shifts
) -> None:
    talk = await conversation()
    await say(talk)
    await own(talk)
    call = CallRecord(f"{talk}.1", "api", "v", b"", 10_000, 20_000)
    assert await finish(talk, call=call, writes=[b"w"]) == "writes"
    assert (await mailbox.start(call.id, "c")).outcome == "refused"
    await say(talk)
    await shift(talk, lease=-1, due=-1)
    assert await mailbox.sweep(0, "me") == 1
    assert len((await own(talk, "f2")).writes) == 1
    assert (await mailbox.release(talk, "f2", "f3")).state == "waiting"
    assert (await mailbox.start(call.id, "c")).outcome == "go"


async def test_context_data_that_have_expired_are_not_handed_out(
    mailbox: Mailbox, redis: Raw, conversation: Starts, say: Say, own: Own, finish: Finish
) -> None:
    talk = await conversation()
    await say(talk)
    now = (await own(talk)).events[0].at
    await finish(talk, context=[ContextField("a", b"old", now - 1), ContextField("b", b"new", now + 60_000)])
    await say(talk)
    assert (await own(talk, "f2")).context == {"b": b"new"}


@pytest.mark.parametrize("how", ["commit", "release", "back", "renew"])
async def test_nobody_writes_with_a_fence_that_was_never_given(
    mailbox: Mailbox, conversation: Starts, say: Say, own: Own, how: str
) -> None:
    talk = await conversation()
    await say(talk)
    for _ in range(2):  # first queued, then running
        if how == "commit":
            answer = (await mailbox.commit(talk, Commit(fence="no", next_fence="f"))).state
        elif how == "release":
            answer = (await mailbox.release(talk, "no", "f")).state
        elif how == "back":
            answer = (await mailbox.hand_back(talk, "no")).state
        else:
            answer = "renewed" if await mailbox.renew(talk, "no") else "refused"
        assert answer == "refused"
        await own(talk)


async def test_the_session_stays_while_its_owner_works(
    mailbox: Mailbox, redis: Raw, conversation: Starts, say: Say, own: Own, finish: Finish, shift: Shifts
) -> None:
    talk = await conversation()
    await say(talk)
    await own(talk)
    await finish(talk, session={"version": b"1"})
    await say(talk)
    await shift(talk, session_until=-1)
    for step in (lambda: own(talk, "f2"), lambda: mailbox.renew(talk, "f2")):
        await redis.pexpire(keys.session(talk), 5000)
        await redis.hdel(keys.conv(talk), "session_kept")  # both may happen in the same millisecond
        await step()
        assert await redis.pttl(keys.session(talk)) > 60_000
