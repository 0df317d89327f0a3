"""The doorbell worker: an arq worker that waits for a bell instead of polling, and outlives its Redis.

arq gives the function table, settings, deferral, cron, job format and hooks. What differs: a job is claimed in one
script with a token and a short lease, the lease is renewed while the job runs, and claim, finish and failure compare
the token, so that a worker that was frozen or cut off cannot delete what its successor does (reference/queue.md 2).
"""

import asyncio
import signal
import time
from collections import deque
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from typing import Any, cast

import structlog
from arq.connections import ArqRedis
from arq.typing import WorkerCoroutine
from arq.utils import timestamp_ms
from arq.worker import Function, Worker
from redis.exceptions import RedisError

from shared.queue import jobs
from shared.queue.claims import Claim, Claims
from shared.store.keys import bell
from shared.store.outage import Outage

log = structlog.get_logger()

CLAIM_AT_ONCE = 16  # more would starve the other workers of a burst
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 1.0


class DoorbellWorker(Worker):
    """Drains several queues, each with a bell, running at most `max_jobs` jobs together.

    `settings` are those of `arq.Worker`; results are never kept, tries never run out, jobs cannot be aborted. The
    pool must retry nothing for longer than a lease. Burst mode is not offered.
    """

    def __init__(
        self,
        functions: Sequence[Function | WorkerCoroutine],
        *,
        queues: Sequence[str],
        redis_pool: ArqRedis,
        lease_ms: int = jobs.LEASE_MS,
        renew_seconds: float = jobs.RENEW_SECONDS,
        idle_poll_seconds: float = jobs.IDLE_POLL_SECONDS,
        claim_at_once: int = CLAIM_AT_ONCE,
        **settings: Any,
    ) -> None:
        super().__init__(
            functions, queue_name=queues[0], redis_pool=redis_pool, **{**settings, **jobs.worker_settings()}
        )
        self._claims = Claims(redis_pool, lease_ms=lease_ms)
        self._renew_seconds = renew_seconds
        self._idle_poll_seconds = idle_poll_seconds
        self._claim_at_once = claim_at_once
        self._queues = list(queues)
        self._bells = deque(bell(queue) for queue in queues)
        self._held: dict[str, Claim] = {}
        self._due = dict.fromkeys(queues, 0)  # queues to scan, with the bell tokens popped for each
        self._scanned_at = 0.0
        self._room = asyncio.Event()
        self._outage = Outage()

    # -- life ---------------------------------------------------------------------------------------------------

    async def serve(self) -> None:
        """Run until a signal or a cancellation, then let running jobs finish or hand them over, and close."""
        self.main_task = self.loop.create_task(self.main())
        try:
            await asyncio.wait({self.main_task})
            if not self.main_task.cancelled():
                self.main_task.result()
        finally:
            await self.close()

    async def main(self) -> None:
        """Start up, then claim and wait in turn. Redis going away is waited out, whatever the step."""
        self.ctx["redis"] = self.pool
        if self.on_startup:
            await self.on_startup(self.ctx)
        heart = self.loop.create_task(self._beat())
        pause = FIRST_PAUSE_SECONDS
        try:
            while not _is_cancelled():
                try:
                    await self._round()
                    self._outage.back()
                    pause = FIRST_PAUSE_SECONDS
                except (RedisError, OSError) as error:
                    self._outage.away(error)
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        finally:
            heart.cancel()

    async def close(self) -> None:
        """Cancel what still runs, hand its jobs over, shut down; the pool is closed even when Redis is away.

        Overrides arq's `close`, which calls a deprecated method of redis and raises what its jobs raised.
        """
        if not self._pool:
            return
        if not self._handle_signals:
            self.handle_sig(signal.SIGUSR1)
        running = [*self.tasks.values(), *([self.main_task] if self.main_task else [])]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        if self.on_shutdown:
            await self.on_shutdown(self.ctx)
        with suppress(RedisError, OSError):
            await self.pool.delete(self.health_check_key)
        await self.pool.aclose(close_connection_pool=True)
        self._pool = None

    # -- finding work -------------------------------------------------------------------------------------------

    async def _round(self) -> None:
        """Claim from the queues known to have work; when there is none, or no room, wait for either."""
        if not self.allow_pick_jobs or self.job_counter >= self.max_jobs:
            self._room.clear()
            await self._room.wait()
            return
        if time.monotonic() - self._scanned_at >= self._idle_poll_seconds:
            self._scanned_at = time.monotonic()
            self._due = dict.fromkeys(self._queues, 0) | self._due
        if self._due:
            await self._scan(next(iter(self._due)))
        else:
            await self._listen()

    async def _scan(self, queue: str) -> None:
        limit = min(self.max_jobs - self.job_counter, self._claim_at_once)
        claimed = await self._claims.take(queue, limit, rung=self._due[queue])
        del self._due[queue]
        if len(claimed) == limit:
            self._due[queue] = 0  # there may be more; the other queues come first
        for claim in claimed:
            self._start(claim)

    async def _listen(self) -> None:
        """Block until a bell rings, never longer than until the next look at every queue."""
        left = self._scanned_at + self._idle_poll_seconds - time.monotonic()
        if left <= 0:
            return
        waiting = self.pool.blpop(list(self._bells), timeout=max(left, 0.01))  # type: ignore[arg-type] # a float is fine
        rung = await cast("Awaitable[tuple[bytes, bytes] | None]", waiting)
        self._bells.rotate(-1)
        if not rung:
            return
        name, token = rung
        if self.allow_pick_jobs:
            self._due = {name.decode().removesuffix(":bell"): 1}
        else:
            await cast("Awaitable[int]", self.pool.rpush(name.decode(), token))

    def _start(self, claim: Claim) -> None:
        if claim.job_id in self._held:
            # our own run's claim had lapsed, while Redis was away say, and nobody took it: it goes on under the new one
            self._held[claim.job_id] = claim
            return
        self._held[claim.job_id] = claim
        self.job_counter += 1
        task = self.loop.create_task(self.run_job(claim.job_id, claim.score))
        self.tasks[claim.job_id] = task
        task.add_done_callback(lambda _: self._ended(claim.job_id))

    def _ended(self, job_id: str) -> None:
        del self._held[job_id], self.tasks[job_id]
        self.job_counter -= 1
        self._room.set()

    # -- running and ending jobs --------------------------------------------------------------------------------

    async def run_job(self, job_id: str, score: int) -> None:
        """Run one claimed job. An error around it costs its claim, never the worker (arq would end itself)."""
        claim = self._held[job_id]
        try:
            await super().run_job(job_id, score)
        except asyncio.CancelledError:
            with suppress(RedisError, OSError):
                await asyncio.shield(self._claims.give_back(claim))
            raise
        except (RedisError, OSError) as error:
            log.warning("a job could not be ended: its claim lapses", job=job_id, reason=type(error).__name__)
        except Exception:
            log.exception("the worker failed around a job", job=job_id)

    async def finish_job(
        self,
        job_id: str,
        finish: bool,  # noqa: FBT001 - arq's signature
        result_data: bytes | None,  # noqa: ARG002 - results are never kept
        result_timeout_s: float | None,  # noqa: ARG002 - results are never kept
        keep_result_forever: bool,  # noqa: ARG002, FBT001 - arq's signature
        incr_score: int | None,
        keep_in_progress: float | None,
    ) -> None:
        """End a run if its token still owns the job (overrides arq, which compares nothing)."""
        claim = self._held.get(job_id)
        if claim is None:
            return  # cancelled on its way here, and given back
        if finish:
            owned = await self._claims.finish(claim, keep_ms=int((keep_in_progress or 0) * 1000))
        else:
            # arq reckons from the score the job had; the script reckons from Redis' clock
            defer_ms = incr_score - (timestamp_ms() - claim.score) if incr_score else 0
            owned = await self._claims.give_back(claim, defer_ms=defer_ms)
        if not owned:
            log.warning("a job belongs to another worker: left alone", job=job_id)

    async def finish_failed_job(self, job_id: str, result_data: bytes | None) -> None:  # noqa: ARG002 - results are never kept
        """Drop a job that cannot be run (payload gone, unknown function) if its token still owns it."""
        claim = self._held.get(job_id)
        if claim and not await self._claims.finish(claim):
            log.warning("a job belongs to another worker: left alone", job=job_id)

    # -- keeping claims -----------------------------------------------------------------------------------------

    async def _beat(self) -> None:
        """Renew every claim once a second; a job whose renewal is refused is cancelled."""
        while True:
            await asyncio.sleep(self._renew_seconds)
            try:
                await asyncio.gather(*(self._renew(queue) for queue in self._queues))
                await self.heart_beat()
            except (RedisError, OSError) as error:
                self._outage.away(error)
            except Exception:
                log.exception("the heartbeat failed; it goes on")

    async def _renew(self, queue: str) -> None:
        held = [claim for claim in self._held.values() if claim.queue == queue]
        if not held:
            return
        lost = await self._claims.renew(queue, held)
        for claim in held:
            task = self.job_tasks.get(claim.job_id)
            if claim.job_id in lost and task and self._held.get(claim.job_id) is claim:
                log.warning("a job was taken over: stopped", job=claim.job_id)
                task.cancel()


def _is_cancelled() -> bool:
    """Whether this task was asked to end: a client that is connecting may swallow the one cancellation it gets."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
