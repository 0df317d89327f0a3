"""A doorbell worker for jobs that are taken off their queue by the script they begin with (BEGIN).

Such a job needs no claim, no renewal and no end: two round trips fewer each. What a lost worker had taken is found by
`due` and the conversation's lease, not by the queue (keys.py).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, cast

import structlog
from redis.exceptions import ResponseError

from shared.queue import jobs
from shared.queue.worker import DoorbellWorker

log = structlog.get_logger()

TOKENS_AT_ONCE = 16  # more would starve the other workers of a burst

Direct = Callable[[dict[Any, Any], str], Awaitable[None]]


class DirectWorker(DoorbellWorker):
    """Runs `direct` for each job of its queues: `direct(ctx, argument)` with `ctx["job_id"]`, which takes the job.

    A bell token is the id of a job. Jobs whose token was lost are found by looking at the queues every
    `idle_poll_seconds`. Two workers that have the same one both run it: its first script decides.
    """

    def __init__(self, *arguments: Any, direct: Direct, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._direct = direct
        self._several = True  # BLMPOP, from Redis 7 on

    async def _round(self) -> None:
        """Run what rings; look at the queues from time to time; wait when there is no room."""
        room = min(self.max_jobs - self.job_counter, TOKENS_AT_ONCE)
        if not self.allow_pick_jobs or room <= 0:
            self._room.clear()
            await self._room.wait()
            return
        left = self._scanned_at + self._idle_poll_seconds - time.monotonic()
        if left <= 0:
            self._scanned_at = time.monotonic()
            for queue in self._queues:
                await self._look(queue, room)
        else:
            await self._hear(left, room)

    async def _look(self, queue: str, limit: int) -> None:
        """Run due jobs that are not running here; when there are many, look again at once."""
        found = await self._claims.due(queue, limit)
        if any(jobs.argument_of(job_id) is None for job_id in found):
            self._due[queue] = 0
            await self._scan(queue)  # jobs of somebody else's making: claimed and run, or dropped, as arq does
            return
        for job_id in found:
            self._run(job_id)
        if len(found) == limit:
            self._scanned_at = 0.0

    async def _hear(self, seconds: float, most: int) -> None:
        """Block until bells ring, at most `seconds`, and run the jobs they name."""
        name, tokens = await self._pop(max(seconds, 0.01), most)
        self._bells.rotate(-1)
        if not self.allow_pick_jobs and tokens:
            await cast("Awaitable[int]", self.pool.rpush(name, *tokens))
            return
        for token in tokens:
            self._run(token.decode())

    async def _pop(self, seconds: float, most: int) -> tuple[str, list[bytes]]:
        """Pop up to `most` tokens of one bell; servers before Redis 7 give one at a time."""
        if self._several:
            try:
                names = (len(self._bells), *self._bells)
                waiting = self.pool.blmpop(seconds, *names, direction="LEFT", count=most)  # type: ignore[arg-type] # its annotation is wrong: each name is a text
                rung = await cast("Awaitable[Any]", waiting)
            except ResponseError as error:
                if "unknown command" not in str(error):
                    raise  # a server that is being demoted, say
                self._several = False
            else:
                return (rung[0].decode(), rung[1]) if rung else ("", [])
        one = await cast("Awaitable[Any]", self.pool.blpop(list(self._bells), timeout=seconds))  # type: ignore[arg-type] # a float is fine
        return (one[0].decode(), [one[1]]) if one else ("", [])

    def _run(self, job_id: str) -> None:
        argument = jobs.argument_of(job_id)
        if job_id in self.tasks:
            return  # looked up while it runs
        if argument is None:
            self._scanned_at = 0.0  # not ours: for the next look
            return
        self.job_counter += 1
        task = self.loop.create_task(self._perform(job_id, argument))
        self.tasks[job_id] = task
        task.add_done_callback(lambda _: self._done(job_id))

    async def _perform(self, job_id: str, argument: str) -> None:
        try:
            await self._direct({**self.ctx, "job_id": job_id}, argument)
            self.jobs_complete += 1
        except asyncio.CancelledError:
            raise
        except Exception:
            self.jobs_failed += 1
            log.exception("a job failed", job=job_id)

    def _done(self, job_id: str) -> None:
        del self.tasks[job_id]
        self.job_counter -= 1
        self._room.set()
