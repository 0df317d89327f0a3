"""Whether a call is made again: one pure decision after every attempt (design section 7).

    how the attempt ended                     GET HEAD PUT DELETE OPTIONS   POST PATCH
    not connected                             again                         again
    429; 503 with Retry-After                 again                         again
    408 500 502 503 504, connection lost,     again                         only with `repeat_unsafe`:
    no answer in time, worker died in it                                    it may have been executed
    any other status                          it is the answer              it is the answer
    refused, invalid, too large               given up                      given up

These are the defaults: `retry_on` lists the statuses and failures that are repeated at all, and any status that is not
named above may have been executed. A call has `retries` + 1 attempts and one budget. Between attempts it waits what
`Retry-After` asks for, if that fits into the budget, else a random part (full jitter) of a pause that doubles with
every attempt.
"""

import msgspec

from shared.bot.integration import UNSAFE_METHODS, Policy


class Ending(msgspec.Struct, frozen=True):
    """How one attempt ended: an answer with its `status`, or a `failure` in the words of `CallOutcome`.

    `retry_after` is what the answer asked for, in seconds; `detail` a sentence without values. `moved` says that it
    ended elsewhere: what was asked for first may have been executed before the redirect.
    """

    status: int = 0
    retry_after: float | None = None
    failure: str | None = None
    detail: str = ""
    moved: bool = False


class Accept(msgspec.Struct, frozen=True):
    """The attempt gave the answer of the call, whatever its status."""


class Retry(msgspec.Struct, frozen=True):
    """Make another attempt after so many seconds."""

    after: float


class GiveUp(msgspec.Struct, frozen=True):
    """The call might be made again, but is not: the last attempt's ending is the call's."""

    reason: str


Decision = Accept | Retry | GiveUp


def decide(policy: Policy, method: str, attempt: int, outcome: Ending, left: float, jitter: float) -> Decision:
    """Decide after the how-manieth attempt (from 1), with `left` seconds of the budget and `jitter` in [0, 1)."""
    if outcome.failure is None and (outcome.status in policy.success or outcome.status not in policy.retry_on):
        return Accept()
    if outcome.failure is not None and outcome.failure not in policy.retry_on:
        return GiveUp("another attempt would end alike, or is not wanted")
    if _may_have_run(outcome) and method.upper() in UNSAFE_METHODS and not policy.repeat_unsafe:
        return GiveUp("it may have been executed, and the integration has no repeat_unsafe")
    if attempt > policy.retries:
        return GiveUp(f"{policy.retries} retries are used up")
    pause = _pause(policy, attempt, outcome, jitter)
    if pause >= left:
        return GiveUp("the time left is too short for another attempt")
    return Retry(pause)


def _may_have_run(outcome: Ending) -> bool:
    """Tell whether the other side may have carried out what it was asked to."""
    if outcome.moved:
        return True
    if outcome.failure is not None:
        return outcome.failure != "unreachable"
    return outcome.status != 429 and not (outcome.status == 503 and outcome.retry_after is not None)


def _pause(policy: Policy, attempt: int, outcome: Ending, jitter: float) -> float:
    if outcome.failure == "interrupted":
        return 0.0
    if outcome.retry_after:
        return outcome.retry_after
    return jitter * min(policy.backoff_max, policy.backoff * 2.0 ** (attempt - 1))
