"""Consents on their way: from `botlane credentials authorize` over the gateway's callback to the integration worker.

The state that the consent page gives back opens one consent, once. Redis knows its hash only, and has the rest sealed.
"""

import hashlib
from collections.abc import Awaitable
from typing import cast

import msgspec
from arq.connections import ArqRedis

from shared.privacy.sealing import CannotOpen, Sealer
from shared.queue import jobs
from shared.store import call_keys, keys
from shared.store.connection import translated

CALLBACK = "/v1/credentials/callback"
PURPOSE = "consents"
LIFE_SECONDS = 600


class Consent(msgspec.Struct, frozen=True, array_like=True):
    """One consent. `stage` is `waiting` (for somebody), `given` (the code is here), `done` or `failed` (`why`)."""

    bot_id: str
    version: str
    credential: str
    redirect_uri: str
    verifier: str
    code: str = ""
    stage: str = "waiting"
    why: str = ""

    def __repr__(self) -> str:
        return f"Consent(stage={self.stage!r})"

    def ended(self, stage: str, why: str = "") -> "Consent":
        """Return it at its end, without what was secret."""
        return msgspec.structs.replace(self, stage=stage, why=why, code="", verifier="")


def consent_id(state: str) -> str:
    """Return what a consent is kept under."""
    return hashlib.sha256(state.encode("utf-8", "surrogateescape")).hexdigest()[:32]


class Consents:
    """Keeps consents for ten minutes. Raises RedisUnreachable when Redis is away."""

    def __init__(self, redis: ArqRedis, sealer: Sealer) -> None:
        self._redis = redis
        self._sealer = sealer

    async def begin(self, state: str, consent: Consent) -> None:
        """Let a consent wait for somebody to give it."""
        await self._put(consent_id(state), consent)

    async def read(self, name: str) -> Consent | None:
        """Return a consent by its id, None when there is none (any more)."""
        with translated():
            return self._opened(name, await self._redis.get(call_keys.consent(name)))

    async def give(self, state: str, code: str) -> Consent | None:
        """Note the code that came with a state and let a worker exchange it, once. Return the consent as it is now."""
        name = consent_id(state)
        waiting = await self._taken(name)
        if waiting is None:
            return None
        if waiting.stage != "waiting":
            await self._put(name, waiting)
            return waiting
        given = msgspec.structs.replace(waiting, stage="given", code=code)
        await self._put(name, given)
        await self._enqueue(name)
        return given

    async def refuse(self, state: str, why: str) -> Consent | None:
        """Note that there is no consent, if it was waited for."""
        name = consent_id(state)
        consent = await self._taken(name)
        if consent is not None:
            consent = consent.ended("failed", why) if consent.stage == "waiting" else consent
            await self._put(name, consent)
        return consent

    async def take(self, name: str) -> Consent | None:
        """Return a consent whose code is to be exchanged; nobody else gets it."""
        consent = await self._taken(name)
        if consent is None or consent.stage == "given":
            return consent
        await self._put(name, consent)  # a job that is run again after its end
        return None

    async def end(self, name: str, consent: Consent) -> None:
        """Note what became of it, for those who wait."""
        await self._put(name, consent)

    async def _enqueue(self, name: str) -> None:
        queue = keys.integration_queue(0)
        job_id = f"{jobs.CONSENT}:{keys.tag(0)}:{name}:1"
        with translated():
            await self._redis.enqueue_job(jobs.CONSENT, name, _queue_name=queue, _job_id=job_id)
            await cast("Awaitable[int]", self._redis.rpush(keys.bell(queue), job_id))

    async def _put(self, name: str, consent: Consent) -> None:
        sealed = self._sealer.seal(msgspec.msgpack.encode(consent), name.encode())
        with translated():
            await self._redis.set(call_keys.consent(name), sealed, ex=LIFE_SECONDS)

    async def _taken(self, name: str) -> Consent | None:
        with translated():
            return self._opened(name, await self._redis.getdel(call_keys.consent(name)))

    def _opened(self, name: str, sealed: bytes | None) -> Consent | None:
        try:
            if sealed is not None:
                return msgspec.msgpack.decode(self._sealer.open(sealed, name.encode()), type=Consent)
        except CannotOpen:
            pass
        return None
