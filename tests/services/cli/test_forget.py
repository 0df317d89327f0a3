"""`botlane forget`: nothing of a conversation or a user is left, at once, whatever a worker is doing."""

import asyncio
import json
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from arq.connections import ArqRedis

from services.cli.forgetting import Forgetting, Removed
from services.dialog_worker.advance import advance_directly
from services.dialog_worker.turn_processes import EngineFailure
from services.settings import Settings
from shared.dialog.effects import ContextWrite, StartCall
from shared.dialog.events import WebViewCall
from shared.dialog.frames import Advance, Answer
from shared.queue.records import DeadEvent, Forgotten, WebViewTerms
from shared.store import keys
from shared.store.connection import connect
from shared.store.context import Context, encode_write
from shared.store.rewriting import rewrite_file
from tests.journeys.redis_contents import keys_with
from tests.services.cli.test_commands import botlane
from tests.services.dialog_worker.conversations import BOT_ID, USER_ID, Engine, Talk, repeats
from tests.store.own_server import OwnServer, answers

SETTINGS = Settings()
CANARY = "CANARY-4111"
WRITES = [
    ContextWrite("forever", "", "colour", f'"{CANARY}"'),
    ContextWrite("user", "shop", "size", f'"{CANARY}"'),
    ContextWrite("conversation", "shop", "step", f'"{CANARY}"'),
]
EVERYWHERE = {
    *("conv", "session", "inbox", "outbox", "seen", "trace", "context", "call", "dead", "alive", "conversations"),
    *("receipt", "receipts", "posted", "used", "taken", "queue", "arq", "due", "user", "context-user"),
}
"""Kinds of keys that know of a conversation or of what its consumer said."""
Talks = Callable[..., Awaitable[Talk]]


def writes_everywhere(request: Advance) -> Answer:
    return msgspec.structs.replace(repeats(request), effects=[*repeats(request).effects, *WRITES])


@pytest.fixture
def talk_with(redis: ArqRedis) -> Talks:
    """Start a conversation with the small bot, whose turns `engine` answers."""

    async def start(engine: Engine = writes_everywhere) -> Talk:
        talk = Talk(redis, SETTINGS, engine)
        await talk.create()
        return talk

    return start


def failing(_: Advance) -> Answer:
    raise EngineFailure("KeyError in advance")


async def work(talk: Talk) -> None:
    """Do what waits, as a worker does that takes the job off its queue."""
    renewing = asyncio.create_task(talk.parts.leases.keep())
    try:
        await advance_directly({"parts": talk.parts, "job_id": await talk.field("job")}, talk.id)
    finally:
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)


async def filled(talk: Talk, url: str) -> None:
    """Give a conversation one of everything: what was said, a form, a dead letter, data everywhere, an awaited call."""
    await talk.say(f"one {CANARY}")
    till = round(time.time() * 1000) + 60_000
    for number, once in enumerate(("", "token")):
        receipt = keys.new_receipt_id(talk.id)
        form = msgspec.json.encode(WebViewCall({"size": CANARY}, receipt=receipt))
        terms = WebViewTerms(rate=2, receipt=receipt, bot_id=BOT_ID, once=once, till=till if once else 0)
        await talk.mailbox.ingest_web_view(talk.id, f"stamp {number}", form, None, terms)
        await talk.redis.expire(keys.posted(talk.id, f"stamp {number}"), 60)  # the test may be slow
    await work(talk)
    await talk.redis.xadd(keys.dead(0), {"reason": "x", "conversation": talk.id, "bot": BOT_ID, "body": CANARY})

    def calls(request: Advance) -> Answer:
        answer = writes_everywhere(request)
        return msgspec.structs.replace(answer, effects=[*answer.effects, StartCall("Store", {"n": CANARY})])

    talk.engine._engine = calls
    await talk.say("two")
    await work(talk)
    assert await talk.field("state") == "waiting"
    await talk.say(f"what waits {CANARY}")
    assert {keys.kind_of(name) for name in keys_with(url, talk.id, CANARY)} >= EVERYWHERE


def said(url: str, *arguments: str, code: int = 0) -> str:
    ended = botlane("forget", *arguments, BOTLANE_REDIS_URL=url)
    assert ended.returncode == code, ended.stderr
    return ended.stdout + ended.stderr


async def test_nothing_of_a_user_is_left(talk_with: Talks, redis: Any, valkey_server: str) -> None:
    talk, other = await talk_with(), await talk_with()
    await filled(talk, valkey_server)
    await other.say("hello")
    stranger = Talk(talk.redis, SETTINGS, repeats)
    stranger_user = "somebody else"
    await stranger.bots.current(BOT_ID)
    await redis.hset(keys.user(BOT_ID, stranger_user), "=x", "9999999999999|1|+1")
    removed = json.loads(said(valkey_server, "user", USER_ID, "--json"))
    assert sorted(removed["conversations"]) == sorted([talk.id, other.id])
    assert removed["deadLetters"] == 1
    assert removed["markedSeconds"] == 0
    assert {"conv", "outbox", "session", "trace", "context", "receipt", "call", "user", "context-user"} <= set(
        removed["keys"]
    )
    assert keys_with(valkey_server, talk.id, other.id, USER_ID, CANARY) == []
    assert await redis.exists(keys.user(BOT_ID, stranger_user))


async def test_a_conversation_goes_and_what_its_user_keeps_stays(
    talk_with: Talks, redis: Any, valkey_server: str
) -> None:
    talk, other = await talk_with(), await talk_with()
    await filled(talk, valkey_server)
    await other.say("hello")
    told = said(valkey_server, "conversation", talk.id)
    assert f"Of conversation {talk.id} was removed:" in told
    assert "dead letters: 1" in told
    for word in ("messages", "session", "context data", "traces", "a call in flight", "receipts of forms (2)"):
        assert word in told
    assert f"user {USER_ID}" in told
    of_user = {keys.user(BOT_ID, USER_ID), keys.context_user("shop", USER_ID)}
    assert set(keys_with(valkey_server, talk.id, CANARY)) == of_user  # stamps tell in which turn something was written
    assert await Context(redis).load_forever(BOT_ID, USER_ID) == {"colour": CANARY}
    assert await redis.exists(keys.conv(other.id))


def test_what_is_not_there_is_said(redis: ArqRedis, valkey_server: str) -> None:
    unknown = keys.new_conversation_id(0)
    assert said(valkey_server, "conversation", unknown, code=1) == f"There is nothing of conversation {unknown}.\n"
    assert "nothing of user nobody" in said(valkey_server, "user", "nobody", code=1)
    assert "no conversation's id" in said(valkey_server, "conversation", "nobody", code=2)


async def test_what_was_forgotten_is_not_found_a_second_time(talk_with: Talks, valkey_server: str) -> None:
    talk = await talk_with()
    await filled(talk, valkey_server)
    said(valkey_server, "user", USER_ID)
    said(valkey_server, "user", USER_ID, code=1)


async def test_a_turn_in_progress_writes_nothing_back(talk_with: Talks, redis: ArqRedis, valkey_server: str) -> None:
    forgetting: list[asyncio.Task[Removed]] = []

    async def engine(request: Advance) -> Answer:
        forgetting.append(asyncio.create_task(Forgetting(redis, SETTINGS).user(USER_ID)))
        await asyncio.shield(forgetting[0])  # the worker may be stopped meanwhile: its lease is lost
        return writes_everywhere(request)

    talk = await talk_with(engine)
    await talk.say("one")
    await work(talk)
    assert (await forgetting[0]).conversations == [talk.id]
    assert keys_with(valkey_server, talk.id, USER_ID) == []


async def test_a_conversation_that_begins_meanwhile_is_forgotten_too(
    talk_with: Talks, redis: ArqRedis, valkey_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = await talk_with()
    forgetting = Forgetting(redis, SETTINGS)
    forget = forgetting._mailbox.forget
    begun: list[str] = []

    async def begin_another(conversation_id: str, user_id: str) -> Forgotten:
        if not begun:
            begun.append((await talk_with()).id)
        return await forget(conversation_id, user_id)

    monkeypatch.setattr(forgetting._mailbox, "forget", begin_another)
    assert (await forgetting.user(USER_ID)).conversations == [talk.id, *begun]
    assert keys_with(valkey_server, USER_ID) == []


async def test_who_listens_hears_at_once_that_something_became_of_the_conversation(
    talk_with: Talks, redis: ArqRedis
) -> None:
    talk = await talk_with()
    async with redis.pubsub() as listening:
        await listening.subscribe(keys.notify(0))
        await Forgetting(redis, SETTINGS).conversation(talk.id)
        async with asyncio.timeout(60):
            while (heard := await listening.get_message(timeout=1)) is None or heard["type"] != "message":
                pass
    assert heard["data"].decode() == talk.id


async def test_writes_on_their_way_are_refused_by_marks_that_go(
    talk_with: Talks, redis: Any, valkey_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = await talk_with()
    apply = talk.parts.context.apply
    forgetting: list[asyncio.Task[Removed]] = []
    on_their_way: list[bytes] = []

    async def forget_first(writes: list[bytes]) -> int:
        on_their_way.extend(writes)
        forgetting.append(asyncio.create_task(Forgetting(redis, SETTINGS).user(USER_ID)))
        await asyncio.shield(forgetting[0])  # the worker may be stopped meanwhile: its lease is lost
        return await apply(writes)

    monkeypatch.setattr(talk.parts.context, "apply", forget_first)
    await talk.say("one")
    await work(talk)
    assert (await forgetting[0]).marked_seconds == 3600
    assert await apply(on_their_way) == 0
    assert await Context(redis).load_forever(BOT_ID, USER_ID) == {}
    assert await Context(redis).load(["user|shop"], USER_ID) == {"user|shop": {}}
    left = keys_with(valkey_server, talk.id, USER_ID)
    assert {name.partition(":")[0] for name in left} == {"user", "context-user"}
    assert keys_with(valkey_server, CANARY) == []
    for name in left:
        assert 0 < await redis.ttl(name) <= 3600


async def test_who_comes_back_after_that_is_remembered_again(talk_with: Talks, redis: Any, valkey_server: str) -> None:
    talk = await talk_with()
    await filled(talk, valkey_server)
    write = encode_write(WRITES[0], user_id=USER_ID, bot_id=BOT_ID)
    pending = b"|".join([b"1700000000000", talk.id.encode(), b"1", b"1", write])
    await Context(redis).forget(USER_ID, [BOT_ID], [pending])
    assert await Context(redis).load_forever(BOT_ID, USER_ID) == {}
    again = await talk_with()
    await again.say("hello")
    await work(again)
    assert await Context(redis).load_forever(BOT_ID, USER_ID) == {"colour": CANARY}


async def test_the_outcome_of_a_call_in_flight_is_dropped(
    talk_with: Talks, redis: ArqRedis, valkey_server: str
) -> None:
    talk = await talk_with()
    await filled(talk, valkey_server)
    call_id = await talk.field("call")
    assert (await talk.mailbox.start(call_id, "claim")).outcome == "go"
    await Forgetting(redis, SETTINGS).user(USER_ID)
    assert not await talk.mailbox.result(call_id, b"{}")
    assert (await talk.mailbox.start(call_id, "again")).outcome == "gone"
    assert keys_with(valkey_server, talk.id, USER_ID) == []


async def test_letters_of_a_conversation_that_has_expired_are_found_by_their_user(
    talk_with: Talks, redis: Any, valkey_server: str
) -> None:
    talk, other = await talk_with(), await talk_with(failing)
    await talk.say("one")
    await other.say(CANARY)
    await work(other)
    assert keys.dead(0) in keys_with(valkey_server, CANARY)
    async for name in redis.scan_iter(f"*{other.id}*"):
        await redis.delete(name)  # as after a week
    removed = await Forgetting(redis, SETTINGS).user(USER_ID)
    assert (removed.conversations, removed.dead_letters) == ([talk.id], 1)
    assert keys_with(valkey_server, other.id, CANARY) == []


async def test_letters_of_others_stay(talk_with: Talks, redis: Any) -> None:
    talk, other = await talk_with(), await talk_with()
    for one in (talk, other, talk):
        letter = DeadEvent("engine", "message", b"{}")
        await redis.xadd(keys.dead(0), {"reason": letter.reason, "conversation": one.id, "body": letter.body})
    removed = await Forgetting(redis, SETTINGS).conversation(talk.id)
    assert removed.dead_letters == 2
    assert [fields[b"conversation"].decode() for _, fields in await redis.xrange(keys.dead(0))] == [other.id]


async def test_the_servers_file_forgets_too_when_that_is_asked_for() -> None:
    with tempfile.TemporaryDirectory() as folder:  # a socket's path is short
        server = OwnServer(Path(folder))
        redis = connect(server.url)
        try:
            while not await answers(redis):
                await asyncio.sleep(0.01)
            talk = Talk(redis, SETTINGS, repeats)
            await talk.create()
            await talk.say(CANARY)
            while not in_files(Path(folder)):
                await asyncio.sleep(0.01)  # while it syncs, a server writes up to two seconds later
            assert "has rewritten its append-only file" in said(server.url, "conversation", talk.id, "--rewrite")
            assert not in_files(Path(folder))
        finally:
            await redis.aclose(close_connection_pool=True)
            server.stop()


def in_files(folder: Path) -> bool:
    """Tell whether the canary stands in what the server keeps on disk."""
    return any(CANARY.encode() in file.read_bytes() for file in folder.rglob("*aof*") if file.is_file())


async def test_a_server_without_such_a_file_says_so(redis: ArqRedis) -> None:
    assert await rewrite_file(redis) == "none"
