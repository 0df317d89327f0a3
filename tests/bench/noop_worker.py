"""A worker whose jobs do nothing, on the dialog queue: `python -m tests.bench.noop_worker doorbell|stock REDIS_URL`."""

import os
import sys
from typing import Any

import uvloop
from arq.worker import Worker, func

from shared.queue import jobs
from shared.queue.worker import DoorbellWorker
from shared.store.connection import connect, stock_settings
from shared.store.keys import dialog_queue
from tests.bench.prefill import NOOP

WORKERS = "bench:workers"
_MAX_JOBS = 100
_STOCK_POLL_SECONDS = 0.005
"""arq's default, 0.5, gives 200 jobs/s at most: this is what is quickest."""


async def noop(ctx: dict[Any, Any], argument: str) -> None:
    """Do nothing."""


async def started(ctx: dict[Any, Any]) -> None:
    """Say that one more works."""
    await ctx["redis"].sadd(WORKERS, os.getpid())


async def doorbell(url: str) -> None:
    """Run our worker."""
    worker = DoorbellWorker(
        [func(noop, name=NOOP)],
        queues=[dialog_queue(0)],
        redis_pool=connect(url),
        max_jobs=_MAX_JOBS,
        on_startup=started,
    )
    await worker.serve()


async def stock(url: str) -> None:
    """Run arq's worker as it is."""
    worker = Worker(
        [func(noop, name=NOOP)],
        queue_name=dialog_queue(0),
        redis_settings=stock_settings(url),
        max_jobs=_MAX_JOBS,
        on_startup=started,
        poll_delay=_STOCK_POLL_SECONDS,
        **jobs.worker_settings(),
    )
    await worker.async_run()


if __name__ == "__main__":
    uvloop.run({"doorbell": doorbell, "stock": stock}[sys.argv[1]](sys.argv[2]))
