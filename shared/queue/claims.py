"""Who may run a job: claims on the jobs of several queues, each under a random token that Redis compares.

Every answer may be lost and every script sent twice: a lost claim lapses with its lease, a repeated end is refused.
"""

import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import cast

import msgspec
from arq.connections import ArqRedis

from shared.queue import jobs
from shared.store.batches import Batches
from shared.store.keys import bell
from shared.store.packing import Script


class Claim(msgspec.Struct, frozen=True):
    """One job that this worker may run. `score` is when it was due, in ms since the epoch."""

    job_id: str
    queue: str
    token: str
    score: int


class Claims:
    """Takes, renews and ends claims; each method is one round trip to one shard.

    With `batches`, claims that end at the same time share it, and RedisUnreachable says that Redis is away.
    """

    def __init__(self, redis: ArqRedis, *, lease_ms: int = jobs.LEASE_MS, batches: Batches | None = None) -> None:
        self._lease_ms = lease_ms
        self._take = redis.register_script(_script("claim_jobs"))
        self._renew = redis.register_script(_script("renew_jobs"))
        self._end = redis.register_script(_script("end_job"))
        self._end_together = Script(_script("end_job"))
        self._batches = batches
        self._due = redis.register_script(_script("due_jobs"))

    async def take(self, queue: str, limit: int, *, rung: int = 0) -> list[Claim]:
        """Claim up to `limit` due jobs, and pop as many bell tokens less the `rung` already popped."""
        token = secrets.token_hex(16)
        found = await self._take(keys=[queue, bell(queue)], args=[token, self._lease_ms, limit, rung])
        pairs = zip(found[::2], found[1::2], strict=True)
        return [Claim(job_id.decode(), queue, token, int(float(score))) for job_id, score in pairs]

    async def due(self, queue: str, limit: int) -> list[str]:
        """Return the ids of the `limit` jobs due for longest; nobody else is given those that advance for a second."""
        found = await self._due(keys=[queue, bell(queue)], args=[limit, f"{jobs.ADVANCE}:"])
        return [job_id.decode() for job_id in cast("Sequence[bytes]", found)]

    async def renew(self, queue: str, held: Iterable[Claim]) -> list[str]:
        """Renew the claims held on one queue; return the ids of those that are lost."""
        pairs: list[str] = [part for claim in held for part in (claim.job_id, claim.token)]
        lost = await self._renew(keys=[queue], args=[self._lease_ms, *pairs])
        return [job_id.decode() for job_id in cast("Sequence[bytes]", lost)]

    async def finish(self, claim: Claim, *, keep_ms: int = 0) -> bool:
        """Take the job off its queue; False when it belongs to somebody else. `keep_ms` keeps the claim alone."""
        return await self._end_run(claim, "finished", keep_ms)

    async def give_back(self, claim: Claim, *, defer_ms: int = 0) -> bool:
        """Let the job run again, `defer_ms` from now; False when it belongs to somebody else."""
        return await self._end_run(claim, "again", defer_ms)

    async def _end_run(self, claim: Claim, how: str, ms: int) -> bool:
        keys = [claim.queue, bell(claim.queue)]
        args: list[str | int] = [claim.job_id, claim.token, how, max(0, ms), jobs.BELL_LIMIT]
        if self._batches is not None:
            return bool(await self._batches.run(self._end_together, keys, tuple(args)))
        return bool(await self._end(keys=keys, args=args))


def _script(name: str) -> str:
    return Path(__file__).with_name(f"{name}.lua").read_text(encoding="utf-8")
