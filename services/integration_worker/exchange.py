"""One attempt of a call: the request with its credential, and, after a 401, once more with a renewed one."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from services.integration_worker import metrics
from services.integration_worker.credentials import Credentials, NoProof, Proof
from shared.bot.integration import Integration
from shared.bot.model import Bot
from shared.dialog.events import Attempt
from shared.integration.client import Answer, OutboundClient
from shared.integration.policy import Ending
from shared.integration.request import Request

_UNAUTHORIZED = 401


class Wanted(msgspec.Struct, frozen=True):
    """What an attempt is made of: the rendered request, and the bot, integration and values it comes from."""

    request: Request
    bot: Bot
    integration: Integration
    values: Mapping[str, Any]


class Exchanges:
    """Makes attempts. One serves a whole worker."""

    def __init__(self, client: OutboundClient, credentials: Credentials) -> None:
        self._client = client
        self._credentials = credentials

    async def attempt(self, wanted: Wanted, ends_at: float, attempts: list[Attempt]) -> Answer:
        """Make one attempt until `ends_at` (the loop's clock), and append what the trace says of it.

        Renewing a credential is no retry of the policy: a 401 says that nothing was done.
        """
        loop = asyncio.get_running_loop()
        timeout = wanted.integration.policy.attempt_timeout
        if timeout is not None:
            ends_at = min(ends_at, loop.time() + timeout)
        try:
            proof = await self._credentials.proof(wanted.bot, wanted.integration, wanted.values)
            answer = await self._exchange(wanted, proof, ends_at, attempts)
            if answer.ending.status != _UNAUTHORIZED:
                return answer
            another = await self._credentials.renewed(proof)
        except NoProof as error:
            ending = error.answer.ending
            _record(attempts, Attempt(int(time.time() * 1000), 0.0, word(ending), sent=0), ending)
            return error.answer
        return answer if another is None else await self._exchange(wanted, another, ends_at, attempts)

    async def _exchange(self, wanted: Wanted, proof: Proof, ends_at: float, attempts: list[Attempt]) -> Answer:
        loop = asyncio.get_running_loop()
        at, began = int(time.time() * 1000), loop.time()
        answer = await self._client.attempt(
            wanted.request,
            wanted.integration.policy,
            limit=ends_at - began,
            private=wanted.bot.egress_private,
            attachment=proof.attachment,
        )
        took = round((loop.time() - began) * 1000, 1)
        _record(attempts, Attempt(at, took, word(answer.ending), answer.sent, renewed=proof.renewed), answer.ending)
        return answer


def word(ending: Ending) -> str:
    """Return how an attempt ended, as the trace says it: a failure or a status."""
    return ending.failure or str(ending.status)


def class_of(ending: Ending) -> str:
    """Return how an attempt ended, as metrics say it: a failure or a class of statuses."""
    return ending.failure or f"{ending.status // 100}xx"


def _record(attempts: list[Attempt], attempt: Attempt, ending: Ending) -> None:
    attempts.append(attempt)
    metrics.attempts(class_of(ending)).inc()
