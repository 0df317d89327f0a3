"""The sweeper: once a second, for each shard, see to conversations whose worker, job or call was lost.

Every dialog worker tries; one per shard at a time succeeds.
"""

import asyncio
import secrets

import structlog

from services.dialog_worker import metrics
from shared.queue.mailbox import Mailbox
from shared.store.connection import RedisUnreachable

SWEEP_SECONDS = 1.0
# A backlog is looked at again every 4 s and stands before whoever was lost after it: a pass has to reach beyond it.
MOST_AT_ONCE = 2000

log = structlog.get_logger()


async def sweep(mailbox: Mailbox, shards: int, *, every: float = SWEEP_SECONDS) -> None:
    """Sweep until cancelled; a server that is away is tried again."""
    sweeper = secrets.token_hex(8)
    while True:
        for shard in range(shards):
            try:
                recovered = await mailbox.sweep(shard, sweeper, MOST_AT_ONCE)
            except RedisUnreachable:
                break
            except Exception:
                log.exception("a sweep failed", shard=shard)
                continue
            if recovered:
                metrics.RECOVERED.inc(recovered)
                log.info("conversations recovered", shard=shard, count=recovered)
        await asyncio.sleep(every)
