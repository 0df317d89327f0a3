"""`botlane dead`: what it prints, and how it ends."""

import json
from typing import Any

import pytest
from arq.connections import ArqRedis

from shared.queue.mailbox import Mailbox
from shared.queue.records import Batch, Commit, DeadEvent, NewConversation
from shared.store import keys
from tests.services.cli.test_commands import botlane

BODY = b'{"type":"message","text":"my secret"}'


@pytest.fixture
async def letter(redis: ArqRedis) -> str:
    """The id of a conversation with one dead letter."""
    mailbox = Mailbox(redis, conversation_ttl=3600, inbox_limit=10, trace_ttl=60)
    talk = keys.new_conversation_id(0)
    await mailbox.create(NewConversation(talk, "shop", "user", "lp_web"))
    await mailbox.ingest_message(talk, "m1", BODY, b"{}")
    assert isinstance(await mailbox.begin(talk, "job", "f1"), Batch)
    given_up = DeadEvent("engine", "message", BODY, "KeyError in advance (engine.py:1)")
    await mailbox.commit(talk, Commit(fence="f1", next_fence="f2", consumed=1, dead=[given_up]))
    return talk


def said(url: str, *arguments: str, code: int = 0) -> str:
    ended = botlane("dead", *arguments, BOTLANE_REDIS_URL=url)
    assert ended.returncode == code, ended.stderr
    return ended.stdout + ended.stderr


def listed(url: str, *arguments: str) -> list[dict[str, Any]]:
    found = json.loads(said(url, "list", "--json", *arguments))
    assert isinstance(found, list)
    return found


async def test_a_letter_is_listed_shown_retried_and_gone(valkey_server: str, letter: str) -> None:
    [one] = listed(valkey_server)
    assert (one["reason"], one["kind"], one["conversation"], one["bot"]) == ("engine", "message", letter, "shop")
    line = said(valkey_server, "list")
    assert one["id"] in line
    assert letter in line
    shown = said(valkey_server, "show", one["id"])
    assert "KeyError in advance (engine.py:1)" in shown
    assert f"message, {len(BODY)} bytes" in shown
    assert said(valkey_server, "retry", one["id"]) == f"{one['id']}  is event 2 of conversation {letter}\n"
    assert said(valkey_server, "list") == "No dead letters.\n"
    assert "There is no dead letter" in said(valkey_server, "show", one["id"], code=1)
    assert "it is not there any more" in said(valkey_server, "retry", one["id"], code=1)


async def test_what_is_in_an_event_is_shown_only_when_asked_for(valkey_server: str, letter: str) -> None:
    [one] = listed(valkey_server)
    for words in (["list"], ["list", "--json"], ["show", one["id"]], ["show", one["id"], "--json"]):
        assert "my secret" not in said(valkey_server, *words)
    assert "my secret" in said(valkey_server, "show", one["id"], "--values")
    shown = json.loads(said(valkey_server, "show", one["id"], "--values", "--json"))
    assert shown["body"] == {"type": "message", "text": "my secret"}


async def test_letters_are_chosen_by_bot_and_conversation(valkey_server: str, letter: str) -> None:
    assert len(listed(valkey_server, "--bot", "shop", "--conversation", letter)) == 1
    assert listed(valkey_server, "--bot", "another") == []
    assert listed(valkey_server, "--conversation", keys.new_conversation_id(0)) == []


async def test_letters_are_dropped_by_id_and_all_together(valkey_server: str, letter: str) -> None:
    [one] = listed(valkey_server)
    assert "1 dropped." in said(valkey_server, "drop", one["id"])
    ended = said(valkey_server, "drop", one["id"], code=1)
    assert "0 dropped." in ended
    assert "There is no dead letter" in ended
    assert said(valkey_server, "drop", "--all") == "0 dropped.\n"


async def test_a_retry_that_is_refused_says_why_and_exits_1(valkey_server: str, letter: str, redis: ArqRedis) -> None:
    await redis.hset(keys.conv(letter), "status", "closed")  # type: ignore[misc] # the library says "or a plain value"
    [one] = listed(valkey_server)
    assert "its conversation is closed and takes no events" in said(valkey_server, "retry", one["id"], code=1)
    [told] = json.loads(said(valkey_server, "retry", "--json", one["id"], code=1))
    assert told == {"id": one["id"], "outcome": "closed", "conversation": letter}


@pytest.mark.parametrize(
    "words", [["show", "1"], ["retry", "0/x"], ["drop"], ["drop", "0/1-0", "--all"], ["list", "--conversation", "1"]]
)
def test_wrong_use_is_one_message_and_exits_2(words: list[str]) -> None:
    ended = botlane("dead", *words)
    assert ended.returncode == 2
    assert ended.stderr.startswith("botlane: ")
    assert ended.stderr.count("\n") == 1
