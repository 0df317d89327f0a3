"""Memory is bounded: floods are refused, idle conversations are small, and what has idled out leaves nothing behind."""

import asyncio
import time
from collections import Counter
from pathlib import Path

import aiohttp
import pytest
from arq.connections import ArqRedis

from shared.bot.source import BotSource
from shared.queue.mailbox import Mailbox
from shared.queue.records import Batch, Commit, NewConversation
from shared.store import keys
from shared.store.bots import Bots
from tests.journeys.counting_bot import BOT_ID, counting_bot
from tests.journeys.programs import Programs
from tests.proofs.form import LONG, Record, record_figures
from tests.proofs.talkers import Talker, replies_to, talkers

pytestmark = [pytest.mark.proof, pytest.mark.timeout(900)]

INBOX, FLOOD = 100, 1500
FLOOD_BYTES = 512 * 1024
IDLE_BYTES = 1536
CONVERSATIONS = 100_000 if LONG else 1_000
AT_ONCE = 50
LIFE_SECONDS = 3
SESSION_GRACE_MS = 60_000


async def test_a_flood_into_one_conversation_is_refused_beyond_the_cap_and_takes_no_memory(
    valkey_server: str, redis: ArqRedis, tmp_path: Path, record_property: Record
) -> None:
    await Bots(redis, 3600).publish(BotSource(counting_bot("http://127.0.0.1:1")))
    with Programs(valkey_server, tmp_path, BOTLANE_INBOX_LIMIT=str(INBOX)) as programs:
        programs.start("gateway")
        await programs.ready("gateway")
        async with Talker([programs.url]) as talker, aiohttp.ClientSession() as http:
            before = await used_memory(redis)
            statuses: Counter[int] = Counter()

            async def post(number: int) -> None:
                body, headers = {"id": f"f{number}", "text": "x" * 100}, {"Authorization": f"Bearer {talker._token}"}
                path = f"{programs.url}/v1/conversations/{talker.id}/messages"
                async with http.post(path, json=body, headers=headers) as answer:
                    statuses[answer.status] += 1
                    if answer.status == 429:
                        assert int(answer.headers["Retry-After"]) > 0

            for first in range(0, FLOOD, AT_ONCE):
                await asyncio.gather(*(post(number) for number in range(first, first + AT_ONCE)))
            grown = await used_memory(redis) - before
            assert statuses == {202: INBOX, 429: FLOOD - INBOX}
            assert grown < FLOOD_BYTES
            programs.start("dialog_worker")
            await talker.has_replies(INBOX)
            assert talker.replies == replies_to(["x" * 100] * INBOX)
            counts = Counter({"accepted": statuses[202], "refused": statuses[429], "bytes in Redis": grown})
            record_figures(record_property, "flood into one conversation", counts, {})


async def test_an_idle_conversation_takes_little_more_than_its_messages_and_variables(
    valkey_server: str, redis: ArqRedis, tmp_path: Path, record_property: Record
) -> None:
    await Bots(redis, 3600).publish(BotSource(counting_bot("http://127.0.0.1:1")))
    await redis.config_resetstat()
    with Programs(valkey_server, tmp_path) as programs:
        programs.start("gateway", "dialog_worker")
        await programs.ready("gateway", "dialog_worker")
        async with talkers(4, [programs.url]) as talking:
            for talker in talking:
                await talker.talk(lambda said: said < 5)
        sizes = [await sizes_of(redis, talker.id) for talker in talking]
    over = max(size["keys"] - size["payload"] for size in sizes)
    commands = await redis.info("commandstats")
    assert not {"cmdstat_keys", "cmdstat_scan"} & set(commands), "something walks through all keys"
    assert over <= IDLE_BYTES
    mean = {word: sum(size[word] for size in sizes) // len(sizes) for word in sizes[0]}
    words = {"keys": "bytes in its keys", "payload": "of them messages and variables", "trace": "bytes of trace (1 h)"}
    counts = Counter({words[word]: count for word, count in mean.items()} | {"bytes beyond, at most": over})
    record_figures(record_property, "an idle conversation of 5 messages", counts, {})


async def sizes_of(redis: ArqRedis, conversation: str) -> dict[str, int]:
    """What the server keeps for a conversation, by its own count, and what of it was said or remembered."""
    outbox = await redis.lrange(keys.outbox(conversation), 0, -1)  # type: ignore[misc]
    session = await redis.hgetall(keys.session(conversation))  # type: ignore[misc]
    lasting = (keys.conv, keys.session, keys.outbox, keys.seen, keys.inbox, keys.result, keys.context, keys.writes)
    held = [await redis.memory_usage(key(conversation), samples=0) or 0 for key in lasting]
    remembered = sum(len(session.get(field, b"")) for field in (b"session", b"dialog", b"forever", b"web_view"))
    return {
        "keys": sum(held),
        "payload": sum(map(len, outbox)) + remembered,
        "trace": await redis.memory_usage(keys.trace(conversation), samples=0) or 0,
    }


async def test_conversations_that_idle_out_leave_nothing_behind(redis: ArqRedis, record_property: Record) -> None:
    mailbox = Mailbox(redis, conversation_ttl=LIFE_SECONDS, inbox_limit=10, trace_ttl=LIFE_SECONDS)
    began = time.monotonic()
    gate = asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        async with gate:
            await live_once(mailbox)

    most = 0
    for _ in range(CONVERSATIONS // 1000):
        await asyncio.gather(*(one() for _ in range(1000)))
        await mailbox.sweep(0, "me")
        most = max(most, await redis.dbsize())
    seconds = time.monotonic() - began
    await asyncio.sleep(LIFE_SECONDS + 0.5)
    while await redis.zcard(keys.alive(0)):
        await mailbox.sweep(0, "me")
    await redis.delete(keys.bell(keys.dialog_queue(0)))  # capped; there is no worker here that listens to it
    left = [key.decode() async for key in redis.scan_iter(count=10_000)]
    assert {key.partition(":")[0] for key in left} <= {"session", "sweeper"}, "only sessions live a minute longer"
    assert len(left) == await redis.dbsize()
    lives = [await redis.pttl(key) for key in left[:1000]]
    assert max(lives, default=0) <= LIFE_SECONDS * 1000 + SESSION_GRACE_MS
    if LONG:
        await asyncio.sleep(SESSION_GRACE_MS / 1000 + 1)
        assert await redis.dbsize() == 0
    counts = Counter({"conversations": CONVERSATIONS, "keys at most": most})
    record_figures(record_property, "conversations that idle out", counts, {"all of them": seconds})


async def live_once(mailbox: Mailbox) -> None:
    """A conversation of one message and one reply, as the programs would carry it out."""
    new = NewConversation(keys.new_conversation_id(0), BOT_ID, "user", "web", session_ms=LIFE_SECONDS * 1000)
    await mailbox.create(new)
    await mailbox.ingest_message(new.id, "m1", b"{}", b"{}")
    batch = await mailbox.begin(new.id, f"advance:{{s0}}:{new.id}:1", "f1", take=True)
    assert isinstance(batch, Batch)
    commit = Commit(fence="f1", next_fence="f2", consumed=1, session={"session": b"x"}, replies=[b"{}"], trace=b"{}")
    assert (await mailbox.commit(new.id, commit)).state == "idle"


async def used_memory(redis: ArqRedis) -> int:
    return int((await redis.info("memory"))["used_memory"])
