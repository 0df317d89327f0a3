"""Keys: one slot for a conversation, and ids that say where they live."""

import pytest
from redis.crc import key_slot

from shared.queue.conversation_keys import conversation_keys
from shared.store import call_keys, keys


def test_all_keys_of_a_conversation_its_calls_and_its_queues_are_in_one_slot() -> None:
    conversation_id = keys.new_conversation_id(12)
    names = [
        *conversation_keys(conversation_id),
        keys.call(f"{conversation_id}.7"),
        keys.posted(conversation_id, "abc"),
        keys.taken(conversation_id),
        keys.used(conversation_id, "abc"),
        keys.receipt(keys.new_receipt_id(conversation_id)),
        keys.receipts(conversation_id),
        keys.origins(12, "bot"),
        keys.sweeper(12),
        f"arq:job:advance:{{s12}}:{conversation_id}:1",
    ]
    assert len({key_slot(name.encode()) for name in names}) == 1


def test_a_conversation_id_names_its_shard_and_is_never_the_same() -> None:
    first, second = keys.new_conversation_id(3), keys.new_conversation_id(3)
    assert first != second
    assert keys.shard_of(first) == 3
    assert keys.shard_of(f"{first}.12") == 3
    assert keys.conversation_of(f"{first}.12") == first
    assert keys.is_conversation_id(first)


@pytest.mark.parametrize("text", ["", "x", "0", "0-", "-1-ab", "²-00000000000000000000000000000000", "{s0}-a"])
def test_a_text_that_is_no_id_is_told_from_one(text: str) -> None:
    assert not keys.is_conversation_id(text)
    with pytest.raises(ValueError, match="32 hex digits"):
        keys.shard_of(text)


def test_parts_from_outside_cannot_forge_the_key_of_another_consumer() -> None:
    assert keys.user("b", "}x:{y") == "user:b:{%7Dx%3A%7By}"
    assert keys.context_user("a|b", "c") != keys.context_user("a", "b|c")


def test_what_a_decision_about_limits_touches_is_in_one_slot() -> None:
    names = [
        call_keys.guards(),
        call_keys.told("worker"),
        call_keys.living("worker"),
        *call_keys.guard("integration:bot:}x{"),
        *call_keys.guard("host:*.example.com"),
    ]
    assert len({key_slot(name.encode()) for name in names}) == 1
    assert not set(call_keys.guard("host:a")) & set(call_keys.guard("host:b"))
    assert len({key_slot(name.encode()) for name in call_keys.domain("1}2", "a{b")}) == 1
