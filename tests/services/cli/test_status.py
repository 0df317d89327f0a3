"""`botlane status`: an installation on one screen, read without a scan."""

import io
import subprocess
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from services.cli.status_page import page
from services.cli.status_reading import Status, read_status
from services.settings import Settings
from shared.queue.mailbox import Mailbox
from shared.queue.programs import Programs, Running
from shared.queue.records import Commit, DeadEvent, NewConversation
from shared.store import keys
from shared.store.bots import Bots
from tests.ports import free_address
from tests.services.cli.typed import typed
from tests.services.dialog_worker.conversations import small_bot

ROOT = Path(__file__).parents[3]
Raw = Any  # redis' own annotations leave open whether a command is to be awaited
GATEWAY = Running(program="gateway", host="h" * 12, pid=70001, since=1, version="0.1.0", shards=2)
WORKER = Running(program="dialog-worker", host="h" * 12, pid=70002, since=1, version="0.1.0", work={"turns": 3})


def drawn(status: Status, width: int) -> str:
    screen = io.StringIO()
    Console(file=screen, width=width, highlight=False).print(page(status))
    return screen.getvalue()


async def conversation(redis: Raw, shard: int = 0) -> tuple[Mailbox, str]:
    mailbox = Mailbox(redis, conversation_ttl=3600, inbox_limit=10, trace_ttl=60)
    talk = keys.new_conversation_id(shard)
    await mailbox.create(NewConversation(talk, "small", "user", "lp_web"))
    assert (await mailbox.ingest_message(talk, "m", b"{}", b"{}")).outcome == "accepted"
    return mailbox, talk


async def test_an_empty_installation_says_what_is_missing(redis: Raw) -> None:
    found = await read_status(redis, Settings())
    assert (found.bots, found.programs, len(found.shards)) == ([], [], 1)
    for missing in ("No gateway runs.", "No dialog-worker runs.", "No integration-worker runs.", "No bot is published"):
        assert any(note.startswith(missing) for note in found.notes)
    screen = drawn(found, 80)
    assert "no append-only file" in screen
    assert "0 alive" in screen


async def test_the_screen_shows_bots_programs_queues_and_dead_letters_in_80_columns(redis: Raw) -> None:
    await Bots(redis, 3600).publish(small_bot())
    await Programs(redis).beat(GATEWAY)
    await Programs(redis).beat(WORKER)
    mailbox, poisoned = await conversation(redis)
    await mailbox.begin(poisoned, "job", "f1")
    await mailbox.commit(
        poisoned, Commit(fence="f1", next_fence="f2", consumed=1, dead=[DeadEvent("engine", "message", b"{}")])
    )
    await conversation(redis, shard=1)
    found = await read_status(redis, Settings())
    assert [(shard.waiting, shard.alive, shard.dead) for shard in found.shards] == [(1, 1, 1), (1, 1, 0)]
    screen = drawn(found, 80)
    assert max(map(len, screen.splitlines())) <= 80
    for shown in ("Valkey", "2 alive", "1 dead letter", "Small", "gateway", "dialog-worker", "3 turns"):
        assert shown in screen
    assert any("knows 1 of 2 shards" in note for note in found.notes)


async def test_a_conversation_that_waits_for_long_is_pointed_at(redis: Raw) -> None:
    await conversation(redis)
    [job] = await redis.zrange(keys.dialog_queue(0), 0, -1)
    await redis.zincrby(keys.dialog_queue(0), -60_000, job)
    found = await read_status(redis, Settings())
    assert found.notes[0].startswith("Shard 0: a conversation has waited for 6")


async def test_a_server_that_may_evict_conversations_is_pointed_at(redis: Raw) -> None:
    await redis.config_set("maxmemory", "1gb")
    await redis.config_set("maxmemory-policy", "allkeys-lru")
    try:
        found = await read_status(redis, Settings())
    finally:
        await redis.config_set("maxmemory", "0")
        await redis.config_set("maxmemory-policy", "noeviction")
    assert any("allkeys-lru" in note for note in found.notes)


async def test_names_cannot_steer_the_terminal(redis: Raw) -> None:
    await Programs(redis).beat(msgspec.structs.replace(GATEWAY, host="\x1b[2Jhost", work={"\x1b[31m": 1}))
    assert "\x1b" not in drawn(await read_status(redis, Settings()), 120)


async def test_reading_it_scans_nothing(redis: Raw) -> None:
    await conversation(redis)
    await redis.config_resetstat()
    await read_status(redis, Settings())
    used = {name.removeprefix("cmdstat_") for name in await redis.info("commandstats")}
    assert "info" in used
    assert not used & {"scan", "keys", "sscan", "hscan", "zscan", "xrange"}


def botlane(*arguments: str) -> subprocess.CompletedProcess[str]:
    return typed("status", *arguments)


async def test_json_has_everything_on_the_screen(redis: Raw, valkey_server: str) -> None:
    await conversation(redis)
    ended = botlane("--json", "--redis", valkey_server)
    assert ended.returncode == 0, ended.stderr
    found = msgspec.json.decode(ended.stdout)
    assert set(found) == {"at", "server", "bots", "programs", "shards", "notes"}
    assert found["server"]["name"] == "Valkey"
    [shard] = found["shards"]
    assert (shard["shard"], shard["waiting"], shard["alive"]) == (0, 1, 1)
    assert shard["oldestMs"] >= 0


def test_a_server_that_is_away_is_exit_code_3() -> None:
    for more in ((), ("--watch",), ("--json",)):
        ended = botlane("--redis", f"redis://{free_address()}/0", *more)
        assert ended.returncode == 3
        assert "No Redis answers at redis://127.0.0.1:" in ended.stderr
