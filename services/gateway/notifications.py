"""Waking those who wait for replies: one Redis subscription for the whole process, waiters woken inside it.

A message on the channel is only a hint, though it may bring what was posted. Waiters subscribe first, then read, then
wait, and read again at least every `REREAD_SECONDS`, after each reconnect, and when a hint does not follow on what they
have, so that a lost hint costs time and nothing else.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterator
from typing import Any, cast

import structlog
from arq.connections import ArqRedis
from redis.exceptions import RedisError

from shared.queue import entries
from shared.queue.records import Told
from shared.store import keys
from shared.store.outage import Outage
from shared.store.pool import ReadsWhatIsThere

log = structlog.get_logger()

REREAD_SECONDS = 5.0
MOST_TOLD = 64
_LONGEST_PAUSE = 2.0
_SOMETHING = Told("")


class Bell:
    """What one waiter listens to: rung by a hint for its conversation, by a reconnect, and when the gateway stops."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self._told: deque[Told] = deque(maxlen=MOST_TOLD)  # a waiter that is too slow finds a hole, and reads
        self.stopping = False

    def mute(self) -> None:
        """Forget earlier rings. To be called before reading, so that a ring during the read is not lost."""
        self._rung.clear()
        self._told.clear()

    def ring(self, told: Told | None = None) -> None:
        """Wake the waiter, now or when it next waits."""
        if told is not None:
            self._told.append(told)
        self._rung.set()

    def following(self, after: int) -> list[tuple[int, int, bytes]] | None:
        """Take what the hints told of the messages after a sequence; None when they leave a hole: it must be read."""
        messages: list[tuple[int, int, bytes]] = []
        self._rung.clear()
        while self._told:
            told = self._told.popleft()
            last = messages[-1][0] if messages else after
            if told.after is None or told.after > last:
                return None
            messages += [message for message in told.messages if message[0] > last]
        return messages

    def ring_later(self, seconds: float) -> asyncio.TimerHandle:
        """Ring once after so many seconds, as if there were something to read."""
        return asyncio.get_running_loop().call_later(seconds, self.ring, _SOMETHING)

    async def rung(self) -> None:
        """Wait for a ring."""
        await self._rung.wait()

    async def wait(self, seconds: float) -> None:
        """Wait for a ring, at most `seconds` and never longer than the time between two reads."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(seconds, REREAD_SECONDS)):
                await self._rung.wait()


class Notifications:
    """The subscription to `notify:{sN}` of every shard."""

    def __init__(self, redis: ArqRedis, shards: int) -> None:
        self._redis = redis
        self._channels = [keys.notify(shard) for shard in range(shards)]
        self._bells: dict[str, set[Bell]] = {}
        self._stopping = False
        self._outage = Outage()

    @contextlib.contextmanager
    def listen(self, conversation_id: str) -> Iterator[Bell]:
        """Give a bell for a conversation, for as long as the block runs."""
        bell = Bell()
        bell.stopping = self._stopping
        self._bells.setdefault(conversation_id, set()).add(bell)
        try:
            yield bell
        finally:
            self._bells[conversation_id].discard(bell)
            if not self._bells[conversation_id]:
                del self._bells[conversation_id]

    @property
    def listeners(self) -> int:
        """How many wait now."""
        return sum(len(bells) for bells in self._bells.values())

    def stop(self) -> None:
        """Wake everybody for the last time: what waits is to be answered now."""
        self._stopping = True
        for bells in self._bells.values():
            for bell in bells:
                bell.stopping = True
                bell.ring()

    async def run(self) -> None:
        """Listen until cancelled; when Redis is away, come back by itself."""
        pause = 0.0
        while True:
            try:
                async with self._redis.pubsub() as subscription:
                    await subscription.subscribe(*self._channels)
                    self._outage.back()
                    while True:
                        heard = await subscription.get_message(timeout=1.0)
                        if heard is not None:
                            pause = 0.0
                            self._hear(heard["type"], heard["data"])
                            for kind, *_, data in cast("ReadsWhatIsThere", subscription.connection).arrived():
                                self._hear(kind.decode(), data)
            except (RedisError, OSError) as error:
                self._outage.away(error)
            except Exception:
                log.exception("notifications failed")
            pause = min(_LONGEST_PAUSE, pause * 2 + 0.1)
            await asyncio.sleep(pause)

    def _hear(self, kind: str, data: Any) -> None:
        if kind == "subscribe":
            # Also after a reconnect of redis' own making: hints may have been missed meanwhile.
            for bells in self._bells.values():
                _ring(bells)
        elif kind == "message":
            told = entries.told(data)
            for bell in self._bells.get(told.conversation_id, ()):
                bell.ring(told)


def _ring(bells: set[Bell]) -> None:
    for bell in bells:
        bell.ring(_SOMETHING)
