"""Workload W: conversations that say one thing after another, each when the last was accepted and answered."""

import asyncio
import time

import msgspec

from tests.bench.figures import percentile
from tests.bench.talk import TEXTS, Talk, open_talks, until

BOT_ID = "bench-counting"
CONVERSATIONS, MESSAGES = 200, 20


class Told(msgspec.Struct, frozen=True):
    """What the client saw: seconds from the first message to the last answer, and milliseconds of each message."""

    messages: int
    seconds: float
    p50: float
    p99: float
    client_cpu: float

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.messages / self.seconds


class _Counting:
    """One conversation of W: every answer must say how many messages there were."""

    def __init__(self, talk: Talk, first: int, messages: int, latencies: list[float]) -> None:
        self._talk = talk
        self._count = first
        self._last = first + messages - 1
        self._latencies = latencies
        self._waiting = 0
        self._sent = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        talk.accepted = lambda _: self._step()
        talk.replied = self._replied

    def say(self) -> None:
        """Say the next thing."""
        self._waiting = 2
        self._sent = time.perf_counter()
        self._talk.say(TEXTS[self._count % 3] % self._count)

    def _replied(self, text: str) -> None:
        if text != f"count {self._count}":
            self._talk.lost(f"{text!r} came instead of the count {self._count}")
        self._latencies.append(time.perf_counter() - self._sent)
        self._step()

    def _step(self) -> None:
        """Go on when the message was accepted and answered, in whichever order that comes."""
        self._waiting -= 1
        if self._waiting:
            return
        if self._count == self._last:
            self.done.set_result(None)
            return
        self._count += 1
        self.say()


class W:
    """Conversations that are open, for one or more runs; the count goes on from run to run."""

    def __init__(self, host: str, conversations: int = CONVERSATIONS) -> None:
        self._host = host
        self._conversations = conversations
        self.talks: list[Talk] = []
        self._said = 0

    async def open(self) -> None:
        """Open all conversations, a few at a time. Raises Broken."""
        self.talks = [Talk(self._host) for _ in range(self._conversations)]
        await open_talks(self.talks, BOT_ID)

    async def run(self, messages: int = MESSAGES) -> Told:
        """Say `messages` things in every conversation. Raises Broken when an answer is not the right one."""
        latencies: list[float] = []
        counting = [_Counting(talk, self._said + 1, messages, latencies) for talk in self.talks]
        self._said += messages
        cpu, began = time.process_time(), time.perf_counter()
        for one in counting:
            one.say()
        await until([one.done for one in counting], self.talks)
        seconds = time.perf_counter() - began
        p50, p99 = (percentile(latencies, percent) * 1000 for percent in (50, 99))
        return Told(len(latencies), seconds, p50, p99, time.process_time() - cpu)

    def close(self) -> None:
        """End all connections."""
        for talk in self.talks:
            talk.close()
