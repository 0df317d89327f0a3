"""What making a call needs of the mailbox and of the published bots; `botlane call` has neither, and stands in."""

from typing import Protocol

from shared.bot.model import Bot
from shared.queue.records import CallStarted


class CallRecords(Protocol):
    """Where a call is begun, its attempts are counted, and its outcome is awaited (`shared.queue.mailbox`)."""

    async def start(self, call_id: str, claim: str) -> CallStarted:
        """Begin an attempt. Raises RedisUnreachable, as all of these may."""

    async def finish_attempt(self, call_id: str, claim: str, record: bytes) -> bool:
        """Note how an attempt ended that is followed by another, or that it waits (`b""`); False when it is gone."""

    async def result(self, call_id: str, outcome: bytes) -> bool:
        """Hand the outcome over; False when nobody waits for it any more."""


class BotVersions(Protocol):
    """Where a compiled bot comes from."""

    async def get(self, version: str) -> Bot:
        """Return a bot. Raises BotUnusable."""
