"""The composition root of the dialog worker: which parts there are, and how a worker is made of them.

`arq services.dialog_worker.worker.WorkerSettings` drains the queue of shard 0 with arq's own worker, slower.
"""

import asyncio
from contextlib import suppress
from typing import Any

from arq.connections import ArqRedis
from arq.worker import func

from services.dialog_worker import metrics
from services.dialog_worker.advance import advance, advance_directly
from services.dialog_worker.domains import LookedUp
from services.dialog_worker.form_tokens import FormTokenMaker
from services.dialog_worker.leases import Leases
from services.dialog_worker.parts import Parts
from services.dialog_worker.sweeper import sweep
from services.dialog_worker.turn_processes import TurnProcesses
from services.dialog_worker.versions import Versions
from services.settings import Settings, read_settings
from shared.integration.client import OutboundClient
from shared.privacy.consumer_data import ConsumerData
from shared.privacy.conversation_key import ConversationKeys
from shared.queue import jobs
from shared.queue.direct import DirectWorker
from shared.queue.mailbox import Mailbox
from shared.scripting.limits import Limits
from shared.store.bots import Bots
from shared.store.connection import stock_settings
from shared.store.context import Context
from shared.store.domains import Domains
from shared.store.keys import dialog_queue
from shared.understanding.endpoint import Endpoint


def build_parts(settings: Settings, redis: ArqRedis) -> Parts:
    """Make the parts; nothing is started or connected."""
    mailbox = Mailbox(
        redis,
        conversation_ttl=settings.conversation_ttl,
        inbox_limit=settings.inbox_limit,
        trace_ttl=settings.trace_ttl,
        batch=1,  # every COMMIT gives the next event
    )
    return Parts(
        settings=settings,
        mailbox=mailbox,
        leases=Leases(mailbox),
        versions=Versions(Bots(redis, settings.conversation_ttl, mailbox.batches), settings.conversation_ttl),
        context=Context(redis, mailbox.batches, consumer_data := ConsumerData(settings.secrets)),
        keys=ConversationKeys(settings.secrets),
        consumer_data=consumer_data,
        processes=TurnProcesses(settings.turn_processes, limits=Limits(script_seconds=settings.script_seconds)),
        looked_up=LookedUp(Domains(redis), settings.domain_api, settings.account_id, settings.rewrite_urls),
        endpoint=Endpoint(OutboundClient(settings.rewrite_urls)),
        form_tokens=FormTokenMaker(settings.secrets),
    )


def build_worker(settings: Settings, redis: ArqRedis) -> DirectWorker:
    """Make the worker that drains the dialog queues of all shards. Call it within the loop it is to run in."""
    return DirectWorker(
        [func(advance, name=jobs.ADVANCE)],
        direct=advance_directly,
        queues=[dialog_queue(shard) for shard in range(settings.shards)],
        redis_pool=redis,
        max_jobs=settings.max_jobs,
        job_completion_wait=settings.completion_wait,
        on_startup=start,
        on_shutdown=stop,
        ctx={"settings": settings},
    )


async def start(ctx: dict[Any, Any]) -> None:
    """Start turn processes, renewals and the sweeper. Raises EngineFailure when turn processes cannot be started."""
    settings: Settings = ctx["settings"]
    ctx["parts"] = parts = build_parts(settings, ctx["redis"])
    await parts.processes.start()
    metrics.CONVERSATIONS_HELD.set_function(lambda: parts.leases.held)
    metrics.TURN_PROCESSES.labels("busy").set_function(lambda: parts.processes.busy)
    metrics.TURN_PROCESSES.labels("idle").set_function(lambda: parts.processes.alive - parts.processes.busy)
    ctx["background"] = [
        asyncio.create_task(parts.leases.keep()),
        asyncio.create_task(sweep(parts.mailbox, settings.shards)),
    ]


async def stop(ctx: dict[Any, Any]) -> None:
    """End what `start` started, as far as it came."""
    for task in ctx.get("background", []):
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    if "parts" in ctx:
        await ctx["parts"].processes.close()
        await ctx["parts"].endpoint.close()
        await ctx["parts"].looked_up.close()


def __getattr__(name: str) -> Any:
    """Make `WorkerSettings` when arq's command line asks for it: nothing is read from the environment before."""
    if name != "WorkerSettings":
        raise AttributeError(name)
    settings = read_settings()
    return {
        "functions": [func(advance, name=jobs.ADVANCE)],
        "queue_name": dialog_queue(0),
        "redis_settings": stock_settings(settings.redis_url),
        "max_jobs": settings.max_jobs,
        "job_completion_wait": settings.completion_wait,
        "on_startup": start,
        "on_shutdown": stop,
        "ctx": {"settings": settings},
        **jobs.worker_settings(),
    }
