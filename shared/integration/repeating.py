"""Carries a policy out: attempts one after the other, with pauses, by the retry loop of aiohttp-retry.

The library brings the loop. What an attempt is (one exchange with its redirects, the body read to its end) and
whether there is another one (`decide`) are ours, so that a broken body counts as much as a bad status.
"""

import random
from collections.abc import Awaitable, Callable
from typing import Any, cast

import msgspec
from aiohttp import ClientResponse, ClientSession
from aiohttp_retry import RetryClient, RetryOptionsBase

from shared.bot.integration import Policy
from shared.integration.client import Answer
from shared.integration.policy import Retry, decide


class Made(msgspec.Struct, frozen=True):
    """One attempt: its number, from 1 over all workers, and what is left of the budget in seconds."""

    method: str
    number: int
    left: float
    answer: Answer

    @property
    def status(self) -> int:
        """The HTTP status, which the retry loop asks for; 0 without an answer."""
        return self.answer.ending.status


async def repeat(
    policy: Policy,
    method: str,
    attempt: Callable[[], Awaitable[Made]],
    another: Callable[[Made], Awaitable[None]],
) -> Made:
    """Make attempts until the policy accepts or gives up, and return the last one.

    `another` is awaited before each pause. Whatever `attempt` raises ends the call.
    """
    first = await attempt()
    if not isinstance(decide(policy, method, first.number, first.answer.ending, first.left, 0.0), Retry):
        return first  # as nearly all end: no pause could change it
    options = _PolicyOptions(policy, method, another)
    client = RetryClient(client_session=cast("ClientSession", _Attempts(first, attempt)), retry_options=options)
    return cast("Made", await client.request(method, ""))


class _Attempts:
    """Stands where the library expects a session: a request is one attempt."""

    def __init__(self, first: Made, attempt: Callable[[], Awaitable[Made]]) -> None:
        self._made: Made | None = first
        self._attempt = attempt

    async def request(self, *_: Any, **__: Any) -> Made:
        made, self._made = self._made, None
        return await self._attempt() if made is None else made


class _PolicyOptions(RetryOptionsBase):
    """Lets `decide` answer the two questions of the library: is this final, and how long to wait."""

    def __init__(self, policy: Policy, method: str, another: Callable[[Made], Awaitable[None]]) -> None:
        super().__init__(
            attempts=policy.retries + 1,
            methods={method},
            retry_all_server_errors=False,
            evaluate_response_callback=self._is_final,
        )
        self._policy = policy
        self._another = another
        self._pause = 0.0

    async def _is_final(self, response: ClientResponse) -> bool:
        made = cast("Made", response)
        jitter = random.random()  # noqa: S311  # spreads load, guards nothing
        decision = decide(self._policy, made.method, made.number, made.answer.ending, made.left, jitter)
        if not isinstance(decision, Retry):
            return True
        self._pause = decision.after
        await self._another(made)
        return False

    def get_timeout(self, attempt: int, response: ClientResponse | None = None) -> float:  # noqa: ARG002
        """Return the pause that `decide` asked for."""
        return self._pause
