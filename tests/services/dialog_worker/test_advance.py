"""The job `advance` on a real mailbox: turns in order, one COMMIT each, and what comes after them."""

import msgspec
from arq.connections import ArqRedis

from shared.dialog.effects import Close, ContextWrite, Effect, Reply, StartCall, Transfer
from shared.dialog.frames import Advance, Answer
from shared.dialog.session import Position, Session
from shared.dialog.trace import TraceLine
from shared.store import keys
from shared.store.context import Context, encode_write
from tests.services.dialog_worker.conftest import Talks
from tests.services.dialog_worker.conversations import BOT_ID, USER_ID, Talk, repeats, small_bot


async def test_what_was_said_is_answered_in_order_and_the_conversation_rests(talk_with: Talks) -> None:
    talk = await talk_with()
    await talk.say("one", "two", "three")
    await talk.work()
    assert await talk.replies() == ["1: one", "2: two", "3: three"]
    assert await talk.field("state") == "idle"
    assert await talk.field("turn") == "3"
    assert [trace["turn"] for trace in await talk.traces()] == [1, 2, 3]


async def test_a_job_without_anything_to_do_ends(talk_with: Talks) -> None:
    talk = await talk_with()
    await talk.work()
    assert talk.engine.asked == []


async def test_a_long_inbox_is_handed_on_after_eight_turns(talk_with: Talks) -> None:
    talk = await talk_with()
    await talk.say(*(str(number) for number in range(10)))
    await talk.work()
    assert len(await talk.replies()) == 8
    assert await talk.field("state") == "queued"
    await talk.work()
    assert len(await talk.replies()) == 10


async def test_the_engine_is_told_who_speaks_and_when(talk_with: Talks) -> None:
    talk = await talk_with(account_id="account")
    await talk.say("hi")
    await talk.work()
    [asked] = talk.engine.asked
    assert (asked.conversation.id, asked.conversation.bot_id, asked.conversation.user_id) == (talk.id, BOT_ID, USER_ID)
    assert asked.conversation.account_id == "account"
    assert asked.turn == 1
    assert asked.event.sequence == 1
    assert asked.event.at > 0
    assert asked.event.new_session


async def test_the_session_lives_on_in_the_next_job(talk_with: Talks) -> None:
    talk = await talk_with()
    await talk.say("one")
    await talk.work()
    await talk.say("two")
    await talk.work()
    assert await talk.replies() == ["1: one", "2: two"]
    assert not talk.engine.asked[1].event.new_session


async def test_only_what_changed_in_a_session_is_written(talk_with: Talks) -> None:
    def engine(request: Advance) -> Answer:
        position = Position(question="q") if request.session is None else Position()
        return Answer(Session(request.version, position, session={"kept": 1}))

    talk = await talk_with(engine)
    await talk.say("one")
    await talk.work()
    before = await talk.session()
    assert set(before) == {b"version", b"position", b"session"}
    await talk.say("two")
    await talk.work()
    del before[b"position"]
    assert await talk.session() == before


async def test_a_session_stays_on_its_version_and_the_next_one_takes_the_newest(talk_with: Talks) -> None:
    talk = await talk_with()
    await talk.say("one")
    await talk.work()
    old = talk.engine.asked[-1].version
    new = (await talk.bots.publish(small_bot("Another text."))).version
    await talk.say("two")
    await talk.work()
    assert talk.engine.asked[-1].version == old != new
    await talk.set(keys.conv(talk.id), "session_until", "1")
    await talk.say("three")
    await talk.work()
    assert talk.engine.asked[-1].version == new
    assert talk.engine.asked[-1].session is None
    assert (await talk.replies())[-1] == "1: three"


async def test_a_session_whose_version_is_gone_becomes_a_new_one(talk_with: Talks) -> None:
    talk = await talk_with()
    await talk.say("one")
    await talk.work()
    await talk.redis.delete(keys.bot_version(talk.engine.asked[-1].version))
    new = (await talk.bots.publish(small_bot("Another text."))).version
    await talk.say("two")
    await talk.work()
    assert talk.engine.asked[-1].version == new
    assert await talk.replies() == ["1: one", "1: two"]


async def test_a_new_session_takes_its_length_from_the_bot_of_the_day(talk_with: Talks) -> None:
    talk = await talk_with()
    await talk.set(keys.bot(BOT_ID), "session_ms", "60000")
    await talk.say("one")
    await talk.work()
    assert await talk.field("session_ms") == "60000"


async def test_forever_variables_are_read_when_a_session_begins_and_written_after_its_turns(
    talk_with: Talks, redis: ArqRedis
) -> None:
    def engine(request: Advance) -> Answer:
        answer = repeats(request)
        return msgspec.structs.replace(answer, effects=[ContextWrite("forever", "", "colour", '"blue"')])

    talk = await talk_with(engine)
    await talk.say("one", "two")
    await talk.work()
    assert await talk.field("state") == "idle"
    assert await Context(redis).load_forever(BOT_ID, USER_ID) == {"colour": "blue"}
    assert await redis.exists(keys.writes(talk.id)) == 0
    assert [asked.forever for asked in talk.engine.asked] == [{}, {}]

    other = Talk(redis, talk.parts.settings, repeats)
    await other.create()
    await other.say("hi")
    await other.work()
    assert other.engine.asked[0].forever == {"colour": "blue"}


async def test_writes_that_a_dead_owner_left_are_applied_before_the_next_turn(
    talk_with: Talks, redis: ArqRedis
) -> None:
    talk = await talk_with()
    body = encode_write(ContextWrite("forever", "", "colour", '"red"'), user_id=USER_ID, bot_id=BOT_ID)
    await talk.say("hi")
    await redis.rpush(keys.writes(talk.id), f"1795000000000|{talk.id}|1|1|".encode() + body)  # type: ignore[misc]
    await talk.work()
    assert talk.engine.asked[0].forever == {"colour": "red"}
    assert await talk.replies() == ["1: hi"]
    assert await redis.exists(keys.writes(talk.id)) == 0


async def test_a_call_makes_the_conversation_wait_and_its_outcome_comes_before_the_inbox(talk_with: Talks) -> None:
    def engine(request: Advance) -> Answer:
        answer = repeats(request)
        if request.turn == 1:
            return msgspec.structs.replace(answer, effects=[StartCall("i", {"{$number}": "7"})])
        return answer

    talk = await talk_with(engine)
    await talk.say("call", "meanwhile")
    await talk.work()
    assert await talk.field("state") == "waiting"
    started = await talk.mailbox.start(f"{talk.id}.1", "claim")
    assert (started.integration_id, started.version) == ("i", talk.engine.asked[0].version)
    assert msgspec.msgpack.decode(started.values) == {"{$number}": "7"}
    await talk.outcome(f"{talk.id}.1")
    await talk.work()
    assert await talk.replies() == ["2: CallOutcome", "3: meanwhile"]


async def test_transfer_and_close_are_told_and_change_the_status(talk_with: Talks) -> None:
    effects: dict[str, Effect] = {"transfer": Transfer("One moment."), "bye": Close(survey=False)}

    def engine(request: Advance) -> Answer:
        text = getattr(request.event, "text", "")
        return Answer(Session(request.version), [effects[text]])

    talk = await talk_with(engine)
    await talk.say("transfer", "bye", "late")
    await talk.work()
    assert await talk.replies() == ["One moment.", "closed"]
    assert talk.engine.asked[1].conversation.status == "transferred"
    assert await talk.field("status") == "closed"
    [dead] = await talk.dead()
    assert dead[b"reason"] == b"closed"


async def test_a_question_is_remembered_so_that_older_taps_can_be_told(talk_with: Talks) -> None:
    def engine(request: Advance) -> Answer:
        return Answer(Session(request.version), [Reply(text="?", asks=True)])

    talk = await talk_with(engine)
    await talk.say("one", "two")
    await talk.work()
    assert [asked.conversation.asked for asked in talk.engine.asked] == [0, 3]


async def test_values_in_traces_are_kept_only_for_the_console(talk_with: Talks) -> None:
    def engine(request: Advance) -> Answer:
        return Answer(Session(request.version), trace=[TraceLine("log", facts={"n": 1}, values={"text": "secret"})])

    for console in (False, True):
        talk = await talk_with(engine, console=console)
        await talk.say("hi")
        await talk.work()
        [trace] = await talk.traces()
        assert trace["lines"][0]["facts"] == {"n": 1}
        assert ("values" in trace["lines"][0]) is console
