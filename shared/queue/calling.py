"""A doorbell worker for jobs that are named by what they do: nothing is read before they run, and many end together.

arq reads a payload and counts a try before it runs a job, and each job ends in a round trip of its own: a third of what
a call costs. START decides whether a call is to be made, whatever is left of its job.
"""

import asyncio
from contextlib import suppress
from typing import Any

import structlog
from arq import Retry
from redis.exceptions import RedisError

from shared.queue import jobs
from shared.queue.claims import Claims
from shared.queue.direct import Direct
from shared.queue.worker import DoorbellWorker
from shared.store.batches import Batches
from shared.store.connection import RedisUnreachable

log = structlog.get_logger()


class CallingWorker(DoorbellWorker):
    """Runs `direct` for each job that makes a call: `direct(ctx, call_id)`, which may raise arq's `Retry`.

    Jobs of other functions are run as arq does.
    """

    def __init__(self, *arguments: Any, direct: Direct, lease_ms: int = jobs.LEASE_MS, **settings: Any) -> None:
        super().__init__(*arguments, lease_ms=lease_ms, **settings)
        self._direct = direct
        self._claims = Claims(self.pool, lease_ms=lease_ms, batches=Batches(self.pool))

    async def run_job(self, job_id: str, score: int) -> None:
        """Run one claimed job. An error around it costs its claim, never the worker."""
        call_id = jobs.argument_of(job_id, jobs.CALL)
        if call_id is None:
            await super().run_job(job_id, score)
            return
        try:
            await self._perform(job_id, call_id)
        except asyncio.CancelledError:
            with suppress(RedisError, RedisUnreachable, OSError):
                await asyncio.shield(self._claims.give_back(self._held[job_id]))
            raise
        except (RedisError, RedisUnreachable, OSError) as error:
            log.warning("a job could not be ended: its claim lapses", job=job_id, reason=type(error).__name__)

    async def _perform(self, job_id: str, call_id: str) -> None:
        self.job_tasks[job_id] = self.tasks[job_id]  # ended when the claim is lost
        try:
            await self._direct(self.ctx, call_id)
            self.jobs_complete += 1
        except Retry as again:
            self.jobs_retried += 1
            owned = await self._claims.give_back(self._held[job_id], defer_ms=again.defer_score or 0)
        except Exception:
            self.jobs_failed += 1
            log.exception("a job failed", job=job_id)
            owned = await self._claims.finish(self._held[job_id])
        else:
            owned = await self._claims.finish(self._held[job_id])
        finally:
            del self.job_tasks[job_id]
        if not owned:
            log.warning("a job belongs to another worker: left alone", job=job_id)
