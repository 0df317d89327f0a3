"""The KEYS of every script of one conversation, in the order in which _conversation.lua names them."""

from functools import cache, lru_cache, partial

from shared.store import keys, packing

KINDS = ("conv", "session", "inbox", "result", "outbox", "seen", "trace", "context", "writes")


def conversation_keys(conversation_id: str) -> list[str]:
    """Return the keys of a conversation, and those of its shard. Raises ValueError when it is no such id."""
    return [*keys.of_conversation(conversation_id, KINDS), *_shard_keys(keys.shard_of(conversation_id))]


@lru_cache(128)  # whoever takes a conversation commits it soon
def packed_keys(conversation_id: str) -> packing.Block:
    """Return the same as they are sent: those of another conversation, with this one's id."""
    encoded = conversation_id.encode()
    other, count, packed = _packed(keys.shard_of(conversation_id), len(encoded))
    return packing.Block(count, packed.replace(other, encoded), partial(conversation_keys, conversation_id))


@lru_cache(64)  # ids of one shard are of one length
def _packed(shard: int, length: int) -> tuple[bytes, int, bytes]:
    other = f"{shard}-".ljust(length, "_")
    names = conversation_keys(other)
    return other.encode(), len(names), packing.packed(*names)


@cache  # as many as there are shards
def _shard_keys(shard: int) -> list[str]:
    queues = (keys.dialog_queue(shard), keys.integration_queue(shard))
    bells = (key for queue in queues for key in (queue, keys.bell(queue)))
    return [keys.due(shard), *bells, keys.dead(shard), keys.notify(shard)]
