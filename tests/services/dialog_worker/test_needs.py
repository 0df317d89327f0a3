"""Context data: what a conversation has is always there, the rest is loaded when a script asks for it."""

import msgspec

from shared.dialog.effects import ContextWrite, Effect
from shared.dialog.frames import Advance, Answer
from shared.dialog.session import Session
from shared.store.context import encode_write
from tests.services.dialog_worker.conftest import Talks
from tests.services.dialog_worker.conversations import BOT_ID, USER_ID, Talk


async def keep(talk: Talk, write: ContextWrite) -> None:
    body = encode_write(write, user_id=USER_ID, bot_id=BOT_ID)
    await talk.parts.context.apply([f"1795000000000|{talk.id}|1|1|".encode() + body])


async def test_data_that_a_script_asks_for_are_loaded_and_the_turn_is_run_again(talk_with: Talks) -> None:
    def engine(request: Advance) -> Answer:
        if "user|prefs" not in request.context:
            return Answer(need=["user|prefs", "global|news"], abandon=["1:pre:answer"])
        return Answer(Session(request.version))

    talk = await talk_with(engine)
    await keep(talk, ContextWrite("user", "prefs", "size", '"XL"'))
    await talk.say("hi")
    await talk.work()
    first, second = talk.engine.asked
    assert first.context == {}
    assert second.context == {"user|prefs": {"size": "XL"}, "global|news": {}}
    assert second.abandon == ["1:pre:answer"]
    assert len(set(talk.engine.allowances)) == 1, "what a turn may use is counted over all its runs"
    [trace] = await talk.traces()
    assert trace["runs"] == 2


async def test_after_eight_loads_what_is_missing_is_given_as_empty(talk_with: Talks) -> None:
    def engine(request: Advance) -> Answer:
        missing = [key for key in (f"user|{number}" for number in range(10)) if key not in request.context]
        return Answer(need=missing[:1]) if missing else Answer(Session(request.version))

    talk = await talk_with(engine)
    for number in range(10):
        await keep(talk, ContextWrite("user", str(number), "n", "1"))
    await talk.say("hi")
    await talk.work()
    given = talk.engine.asked[-1].context
    assert [given[f"user|{number}"] for number in range(10)] == [{"n": 1}] * 8 + [{}] * 2


async def test_a_turn_that_never_has_enough_is_given_up(talk_with: Talks) -> None:
    def engine(request: Advance) -> Answer:
        return Answer(need=[f"user|{len(request.context)}"])

    talk = await talk_with(engine)
    await talk.say("hi")
    await talk.work()
    [dead] = await talk.dead()
    assert dead[b"reason"] == b"engine"


async def test_what_a_turn_writes_about_the_conversation_the_next_turn_reads(talk_with: Talks) -> None:
    writes: dict[str, list[Effect]] = {
        "set": [ContextWrite("conversation", "form", "a|b", '{"n":1}'), ContextWrite("conversation", "form", "c", "2")],
        "drop one": [ContextWrite("conversation", "form", "c", None)],
        "drop all": [ContextWrite("conversation", "form", None, None)],
    }

    def engine(request: Advance) -> Answer:
        return Answer(Session(request.version), writes.get(getattr(request.event, "text", ""), []))

    talk = await talk_with(engine)
    await talk.say("set", "drop one")
    await talk.work()
    await talk.say("drop all", "look")
    await talk.work()
    seen = [asked.context.get("conversation|form") for asked in talk.engine.asked]
    assert seen == [None, {"a|b": {"n": 1}, "c": 2}, {"a|b": {"n": 1}}, None]


async def test_data_of_other_slots_are_written_after_the_turn(talk_with: Talks) -> None:
    def engine(request: Advance) -> Answer:
        effects: list[Effect] = [
            ContextWrite("user", "prefs", "size", '"S"'),
            ContextWrite("global", "news", "day", "1"),
        ]
        return Answer(Session(request.version), effects)

    talk = await talk_with(engine)
    await talk.say("hi")
    await talk.work()
    loaded = await talk.parts.context.load(["user|prefs", "global|news"], USER_ID)
    assert loaded == {"user|prefs": {"size": "S"}, "global|news": {"day": 1}}
    assert await talk.field("state") == "idle"
    assert msgspec.json.encode(await talk.traces())
