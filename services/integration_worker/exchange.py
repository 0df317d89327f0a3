"""One attempt of a call: the request with its credential, and, after a 401, once more with a renewed one."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from services.integration_worker import metrics
from services.integration_worker.credentials import Credentials, NoProof, Proof
from services.integration_worker.protecting import HELD_BACK, Pause, Protector
from services.integration_worker.visiting import Visits
from services.integration_worker.ways import moving, ways_of
from shared.bot.integration import MAIL, Integration
from shared.bot.model import Bot
from shared.dialog.events import Attempt
from shared.integration.client import Answer, OutboundClient
from shared.integration.mailer import Mailer
from shared.integration.policy import Ending
from shared.integration.request import Request
from shared.protection.guards import guards_of

_UNAUTHORIZED = 401


class Wanted(msgspec.Struct, frozen=True):
    """What an attempt is made of: the rendered request, and the bot, integration and values it comes from."""

    request: Request
    bot: Bot
    integration: Integration
    values: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"Wanted({self.integration.id!r}, {self.request!r})"


class Exchanges:
    """Makes attempts. One serves a whole worker. Without a protector nothing limits them."""

    def __init__(
        self,
        client: OutboundClient,
        credentials: Credentials,
        protector: Protector | None = None,
        mailer: Mailer | None = None,
    ) -> None:
        self._client = client
        self._mailer = mailer or Mailer()
        self._protector = protector
        self._credentials = credentials

    async def attempt(self, wanted: Wanted, ends_at: float, attempts: list[Attempt], pause: Pause) -> Answer:
        """Make one attempt until `ends_at` (the loop's clock), and append what the trace says of it.

        `pause` is told when it has to wait for its place.
        Renewing a credential is no retry of the policy: a 401 says that nothing was done.
        """
        try:
            proof = await self._credentials.proof(wanted.bot, wanted.integration, wanted.values, ends_at)
            answer = await self._exchange(wanted, proof, ends_at, attempts, pause)
            if answer.ending.status != _UNAUTHORIZED:
                return answer
            another = await self._credentials.renewed(wanted.bot, proof, ends_at)
        except NoProof as error:
            ending = error.answer.ending
            _record(attempts, Attempt(int(time.time() * 1000), 0.0, word(ending), sent=0), ending)
            return error.answer
        if another is None:
            return answer
        again = await self._exchange(wanted, another, ends_at, attempts, pause)
        return answer if again.ending.failure in HELD_BACK else again

    async def close(self) -> None:
        """End what goes on beside the attempts."""
        await self._credentials.close()

    async def _exchange(
        self, wanted: Wanted, proof: Proof, ends_at: float, attempts: list[Attempt], pause: Pause
    ) -> Answer:
        loop = asyncio.get_running_loop()
        at, began, policy = int(time.time() * 1000), loop.time(), wanted.integration.policy

        async def make(visits: Visits | None = None) -> Answer:
            nonlocal at
            at, left = int(time.time() * 1000), ends_at - loop.time()
            limit = left if policy.attempt_timeout is None else min(left, policy.attempt_timeout)
            client = self._mailer if wanted.integration.kind == MAIL else self._client
            ways = ways_of(wanted.bot, self._credentials.reader)
            if visits is not None:
                ways = moving(ways, wanted.bot, visits, loop.time() + limit)
            return await client.attempt(wanted.request, policy, limit=limit, ways=ways, attachment=proof.attachment)

        guards = guards_of(wanted.bot, wanted.integration, wanted.request.url) if self._protector is not None else ()
        if self._protector is None or not (guards or wanted.bot.hosts):
            answer, waited = await make(), 0.0
        else:
            answer, waited = await self._protector.attempt(guards, policy, ends_at, make, pause)
        took = round((loop.time() - began - waited) * 1000, 1)
        outcome, waited_ms = word(answer.ending), round(waited * 1000, 1)
        _record(attempts, Attempt(at, took, outcome, answer.sent, proof.renewed, waited_ms), answer.ending)
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
