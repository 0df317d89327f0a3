"""Messages at a fixed rate, whatever the answers do: latency counts from the moment a message should have been sent."""

import asyncio
import time
from collections import deque

from tests.bench.talk import TEXTS, Talk

_SPIN_SECONDS = 0.002
"""The last moments before a message are not slept: timers of the loop are a millisecond coarse.

At higher rates they are: who spins all the time takes a core from what is measured.
"""


class _Paced:
    """One conversation of an open loop: what was sent when, in order, and not yet answered."""

    def __init__(self, talk: Talk, said: int, latencies: list[float]) -> None:
        self._talk = talk
        self._latencies = latencies
        self._sent = said
        self._answered = said
        self._scheduled: deque[float] = deque()
        talk.accepted = lambda _: None
        talk.replied = self._replied

    def say(self, scheduled: float) -> None:
        self._sent += 1
        self._scheduled.append(scheduled)
        self._talk.say(TEXTS[self._sent % 3] % self._sent)

    @property
    def done(self) -> bool:
        return not self._scheduled or self._talk.failed.done()

    def _replied(self, text: str) -> None:
        self._answered += 1
        if text != f"count {self._answered}":
            self._talk.lost(f"{text!r} came instead of the count {self._answered}")
            return
        self._latencies.append(time.perf_counter() - self._scheduled.popleft())


async def open_loop(talks: list[Talk], rate: float, seconds: float, said: int = 0) -> list[float]:
    """Send `rate` messages a second, to one conversation after the other; return the latencies in milliseconds.

    `said` is how many messages each conversation has had. Raises Broken when an answer is not the right one, TimeoutError when answers are missing after a minute.
    """
    latencies: list[float] = []
    paced = [_Paced(talk, said, latencies) for talk in talks]
    spin = _SPIN_SECONDS if rate * _SPIN_SECONDS < 0.25 else 0.0
    began = time.perf_counter() + 0.05
    for number in range(int(rate * seconds)):
        scheduled = began + number / rate
        await _sleep_until(scheduled, spin)
        paced[number % len(paced)].say(scheduled)
    async with asyncio.timeout(60):
        while not all(one.done for one in paced):
            await asyncio.sleep(0.01)
    for talk in talks:
        if talk.failed.done():
            talk.failed.result()
    return [latency * 1000 for latency in latencies]


async def _sleep_until(moment: float, spin: float) -> None:
    """Sleep, and spin for the last `spin` seconds."""
    left = moment - time.perf_counter()
    if left > spin:
        await asyncio.sleep(left - spin)
    while spin and time.perf_counter() < moment:
        await asyncio.sleep(0)
