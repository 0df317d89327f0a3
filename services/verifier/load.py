"""The load: so many conversations at a time, each checked as soon as it has ended, and the figures of all of them."""

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Callable

import msgspec

from services.verifier.answers import read_answer
from services.verifier.api import Api
from services.verifier.checker import check
from services.verifier.gateways import Gateways, Opened, Unreachable
from services.verifier.history import Stall, Talk, Violation
from services.verifier.talker import Talker

_OPEN_SECONDS = 30.0
_AGAIN_SECONDS = 0.2
_MOST_HISTORIES = 10


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How much load: `conversations` at a time, each of `events`; new ones take their place for `seconds`, if any."""

    conversations: int
    events: int
    seconds: float
    seed: int


class Load:
    """Runs the load and gathers what came of it. `histories` keeps the first conversations with a violation."""

    def __init__(self, plan: Plan, gateways: Gateways, api: Api) -> None:
        self.violations: list[Violation] = []
        self.histories: list[Talk] = []
        self.stalls: list[Stall] = []
        self.ended = 0
        self._events = 0
        self._begun = 0.0
        self.duplicates = 0
        self.unknown = 0
        self.failed_calls: Counter[str] = Counter()
        self.seconds = 0.0
        self._plan = plan
        self._gateways = gateways
        self._api = api
        self._talking: set[Talker] = set()
        self._settled: list[tuple[Opened, int]] = []
        self._stopped = False

    @property
    def events(self) -> int:
        """Return how many events were accepted so far."""
        return self._events + sum(talker.events for talker in self._talking)

    @property
    def answers(self) -> int:
        """Return how many of them were answered so far."""
        return len(self.stalls) + sum(len(talker.stalls) for talker in self._talking)

    def stop(self) -> None:
        """Send nothing more; what was sent is waited for."""
        self._stopped = True

    async def run(self) -> None:
        """Run the whole load. Raises Unreachable when nobody answers for long, NoBot."""
        self._begun = time.monotonic()
        ends = self._begun + self._plan.seconds

        def over() -> bool:
            return self._stopped or (self._plan.seconds > 0 and time.monotonic() >= ends)

        places = [asyncio.create_task(self._keep_talking(place, over)) for place in range(self._plan.conversations)]
        try:
            await asyncio.gather(*places)
        finally:
            for task in places:
                task.cancel()
            await asyncio.gather(*places, return_exceptions=True)
        self.seconds = time.monotonic() - self._begun

    async def settle(self, seconds: float) -> None:
        """Wait, then see that nothing came after the end of any conversation."""
        await asyncio.sleep(seconds)
        chance = random.Random(self._plan.seed)  # noqa: S311 - chooses a way in
        for opened, last in self._settled:
            page = await self._gateways.read(self._gateways.pick(chance), opened, last)
            for message in page[0] if page is not None else []:
                what = f"{message.sequence} {message.text!r} came when everything had been answered"
                self.violations.append(Violation(opened.id, "afterwards", what))
        twice = [key for key, count in self._api.orders.items() if count > 1]
        for key in twice:
            what = f"the call {key} arrived {self._api.orders[key]} times, and may not be repeated"
            self.violations.append(Violation(key.rpartition(".")[0], "called twice", what))
        self.violations += [Violation("", "odd answer", what) for what in sorted(set(self._gateways.odd))]

    async def _keep_talking(self, place: int, over: Callable[[], bool]) -> None:
        """Hold one conversation, and while there is time another one in its place."""
        for turn in range(1_000_000):
            chance = random.Random(f"{self._plan.seed}/{place}/{turn}")  # noqa: S311 - to be repeated by its seed
            opened = await self._open(chance)
            talker = Talker(self._gateways, opened, chance)
            self._talking.add(talker)
            try:
                self._take(talker, await talker.run(self._plan.events, over))
            finally:
                self._talking.discard(talker)
            if self._plan.seconds == 0 or over():
                return

    async def _open(self, chance: random.Random) -> Opened:
        deadline = time.monotonic() + _OPEN_SECONDS
        while True:
            try:
                opened = await self._gateways.open(self._gateways.pick(chance))
            except Unreachable:
                if self.ended == self.events == 0 or time.monotonic() > deadline:
                    raise
                opened = None
            if opened is not None:
                return opened
            await asyncio.sleep(_AGAIN_SECONDS)

    def _take(self, talker: Talker, talk: Talk) -> None:
        """Check a conversation that has ended, and keep its figures."""
        found = check(talk)
        self.violations += found
        if found and len(self.histories) < _MOST_HISTORIES:
            self.histories.append(talk)
        self.ended += 1
        self._events += talker.events
        self.stalls += [msgspec.structs.replace(stall, at=stall.at - self._begun) for stall in talker.stalls]
        attempts = [attempt for one in talk.sent for attempt in one.attempts]
        self.duplicates += sum(attempt.outcome == "duplicate" for attempt in attempts)
        self.unknown += sum(attempt.outcome == "unknown" for attempt in attempts)
        answers = [answer for message in talk.stored if (answer := read_answer(message)) is not None]
        self.failed_calls.update(answer.said.partition(" ")[0] for answer in answers if answer.outcome == "failed")
        self._settled.append((talker.opened, talk.stored[-1].sequence if talk.stored else 0))
        talker.events, talker.stalls = 0, []


async def ended(task: "asyncio.Task[None]") -> None:
    """End a task, however often it has to be told."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=0.5)
    with contextlib.suppress(asyncio.CancelledError):
        task.result()
