"""Whether what was written is on a replica: asked before anything leaves Redis, when the operator wants it so.

Replication is asynchronous: after a failover the new primary has a beginning of the old one's history. Waiting for an
acknowledgement makes sure that a write, and all before it, belong to that beginning (docs/durability.md).
"""

import logging
from typing import Any

from arq.connections import ArqRedis

from shared.store import keys
from shared.store.connection import RedisUnreachable, translated

logger = logging.getLogger(__name__)

WAIT_MS = 1000


class NotReplicated(RedisUnreachable):
    """No replica acknowledged the write in time, and BOTLANE_DURABILITY asks for one: see to the replicas."""


class Replicas:
    """Asks the primary for the acknowledgement of one replica, at most `wait_ms`."""

    def __init__(self, redis: ArqRedis, *, wait_ms: int = WAIT_MS) -> None:
        self._redis = redis
        self._wait_ms = wait_ms
        self._behind = False

    async def confirm(self, shard: int) -> None:
        """Return when everything written so far is on a replica. Raises NotReplicated and RedisUnreachable.

        WAIT speaks of the last write of its own connection. The write asked about may have been made on another one,
        or not at all because it was a repeat, so a write without effect goes before it: replicas are sent PUBLISH.
        """
        with translated():
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.publish(keys.replicated(shard), b"")
                pipe.wait(1, self._wait_ms)
                answers: list[Any] = await pipe.execute()
        behind = answers[1] < 1
        if behind != self._behind:
            self._behind = behind
            logger.warning("no replica acknowledges writes" if behind else "a replica acknowledges writes again")
        if behind:
            raise NotReplicated
