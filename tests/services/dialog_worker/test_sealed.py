"""Conversations of bots that name sensitive variables: sealed at rest, open for turns, clear about what is missing."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from arq.connections import ArqRedis

from shared.bot.source import BotSource
from shared.dialog.effects import ContextWrite, StartCall
from shared.dialog.events import CallOutcome, WebViewCall
from shared.dialog.frames import Advance, Answer
from shared.privacy.consumer_data import ConsumerData
from shared.privacy.conversation_key import ConversationKeys, is_sealed
from shared.privacy.forms import seal_form
from shared.queue.dead import DeadLetters
from shared.store import keys
from shared.store.context import Context
from tests.journeys.redis_contents import keys_with
from tests.services.dialog_worker.conversations import BOT_ID, ERROR_TEXT, USER_ID, Talk, repeats, small_bot

CARD = "4111-CANARY"
OLD, NEW = "the-old-secret-of-this-place", "the-new-secret-of-this-place"
SENSITIVE = '[privacy]\nsensitive = ["card*"]\n'
Talks = Callable[..., Awaitable[Talk]]


def keeps_cards(request: Advance) -> Answer:
    """An engine that keeps a card in the session and outside it."""
    answer = repeats(request)
    assert answer.session is not None
    session = msgspec.structs.replace(answer.session, web_view={"card": CARD})
    writes = [ContextWrite("forever", "", "card", f'"{CARD}"'), ContextWrite("forever", "", "size", '"L"')]
    own = ContextWrite("conversation", "shop", "step", f'"{CARD}"')
    return msgspec.structs.replace(answer, session=session, effects=[*answer.effects, *writes, own], sensitive=True)


def with_secrets(talk: Talk, *secrets: str) -> Talk:
    data = ConsumerData(secrets)
    context = Context(talk.redis, sealing=data)
    talk.parts = replace(talk.parts, keys=ConversationKeys(secrets), consumer_data=data, context=context)
    return talk


@pytest.fixture
def talk_with_cards(talk_with: Talks) -> Talks:
    """Start a conversation with a bot that names cards, at a worker with these secrets."""

    async def start(*secrets: str, engine: Any = keeps_cards) -> Talk:
        talk = with_secrets(await talk_with(engine), *secrets)
        await talk.bots.publish(BotSource(small_bot().export, SENSITIVE))
        return talk

    return start


async def test_the_next_turn_reads_what_was_sealed(talk_with_cards: Talks, valkey_server: str) -> None:
    talk = await talk_with_cards(OLD)
    await talk.say("one", "two")
    await talk.work()
    await talk.say("three")
    await talk.work()
    assert await talk.replies() == ["1: one", "2: two", "3: three"]
    assert talk.engine.asked[2].session is not None
    assert talk.engine.asked[2].session.web_view == {"card": CARD}
    assert talk.engine.asked[2].context == {"conversation|shop": {"step": CARD}}
    assert keys_with(valkey_server, CARD) == []
    assert all(is_sealed(raw) for raw in (await talk.session()).values())


async def test_forever_variables_are_sealed_by_their_names(talk_with_cards: Talks, redis: ArqRedis) -> None:
    talk = await talk_with_cards(OLD)
    await talk.say("one")
    await talk.work()
    assert await talk.parts.context.load_forever(BOT_ID, USER_ID) == {"card": CARD, "size": "L"}
    assert await Context(redis).load_forever(BOT_ID, USER_ID) == {"size": "L"}


async def test_a_session_from_before_is_sealed_whole_with_the_next_turn(
    talk_with_cards: Talks, valkey_server: str
) -> None:
    talk = await talk_with_cards(
        OLD, engine=lambda request: msgspec.structs.replace(keeps_cards(request), sensitive=False)
    )
    await talk.say("one")
    await talk.work()
    assert keys_with(valkey_server, CARD) != []
    talk.engine._engine = lambda request: msgspec.structs.replace(repeats(request), sensitive=True)
    await talk.say("two")
    await talk.work()
    assert await talk.replies() == ["1: one", "2: two"]
    assert all(is_sealed(raw) for raw in (await talk.session()).values())


async def test_a_new_secret_goes_on_with_what_the_old_one_sealed(talk_with_cards: Talks) -> None:
    talk = await talk_with_cards(OLD)
    await talk.say("one")
    await talk.work()
    with_secrets(talk, NEW, OLD)
    await talk.say("two")
    await talk.work()
    assert await talk.replies() == ["1: one", "2: two"]
    assert await talk.parts.context.load_forever(BOT_ID, USER_ID) == {"card": CARD, "size": "L"}


@pytest.mark.parametrize("secrets", [(), (NEW,)], ids=["none", "another one"])
async def test_without_the_secret_an_event_is_a_dead_letter_that_says_so_and_can_be_retried(
    talk_with_cards: Talks, secrets: tuple[str, ...]
) -> None:
    talk = await talk_with_cards(OLD)
    await talk.say("one")
    await talk.work()
    before = await talk.session()
    with_secrets(talk, *secrets)
    await talk.say("two")
    await talk.work()
    assert await talk.replies() == ["1: one", ERROR_TEXT]
    [letter] = await talk.dead()
    assert b"BOTLANE_SECRET" in letter[b"note"]
    assert await talk.session() == before
    with_secrets(talk, OLD)
    dead = DeadLetters(talk.redis, shards=1, conversation_ttl=3600, inbox_limit=10)
    [found] = await dead.newest(10)
    assert (await dead.retry(found)).outcome == "retried"
    await talk.work()
    assert await talk.replies() == ["1: one", ERROR_TEXT, "2: two"]


async def test_a_worker_without_a_secret_seals_nothing_by_storing_nothing(
    talk_with_cards: Talks, valkey_server: str
) -> None:
    talk = await talk_with_cards()
    await talk.say("one")
    await talk.work()
    assert await talk.replies() == [ERROR_TEXT]
    assert b"BOTLANE_SECRET" in (await talk.dead())[0][b"note"]
    assert keys_with(valkey_server, CARD) == []


async def test_a_form_that_was_sealed_after_this_worker_began_is_opened(talk_with_cards: Talks) -> None:
    async def engine(request: Advance) -> Answer:
        if len(talk.engine.asked) == 1:  # the first turn: the gateway makes the key and seals a form
            seal = await talk.mailbox.keep_seal(talk.id, talk.parts.keys.fresh(talk.id))
            form = seal_form(WebViewCall({"card": CARD}, f"sent {CARD}"), talk.parts.keys.open(talk.id, seal))
            assert CARD.encode() not in msgspec.json.encode(form)
            await talk.mailbox.ingest_web_view(talk.id, "stamp", msgspec.json.encode(form), None)
        return repeats(request)

    talk = await talk_with_cards(OLD, engine=engine)
    await talk.say("one")
    await talk.work()
    event = talk.engine.asked[1].event
    assert isinstance(event, WebViewCall)
    assert (event.variables, event.message, event.sealed) == ({"card": CARD}, f"sent {CARD}", "")


async def test_a_call_and_its_outcome_are_sealed_with_the_conversations_key(
    talk_with_cards: Talks, valkey_server: str
) -> None:
    def calls(request: Advance) -> Answer:
        answer = keeps_cards(request)
        if isinstance(request.event, CallOutcome):
            return answer
        return msgspec.structs.replace(answer, effects=[*answer.effects, StartCall("Store", {"n": CARD})])

    talk = await talk_with_cards(OLD, engine=calls)
    await talk.say("one")
    await talk.work()
    call_id = await talk.field("call")
    started = await talk.mailbox.start(call_id, "claim")
    key = talk.parts.keys.open(talk.id, started.seal)
    assert msgspec.msgpack.decode(key.open(started.values, "call")) == {"n": CARD}
    outcome = msgspec.json.encode(CallOutcome(call_id, status=200, body=CARD))
    await talk.mailbox.result(call_id, key.seal(outcome, "outcome"))
    assert keys_with(valkey_server, CARD) == []
    await talk.work()
    event = talk.engine.asked[-1].event
    assert isinstance(event, CallOutcome)
    assert event.body == CARD


async def test_a_bot_that_names_nothing_has_no_key_and_seals_nothing(talk_with: Talks, redis: Any) -> None:
    talk = with_secrets(await talk_with(), OLD)
    await talk.say("one")
    await talk.work()
    assert await talk.field("seal") == ""
    assert json.loads(json.dumps(msgspec.msgpack.decode((await talk.session())[b"session"]))) == {"count": 1}
    assert await redis.hexists(keys.conv(talk.id), "seal") == 0
