"""One conversation of the load: says its lines in bursts, again when in doubt, and waits for the answers."""

import asyncio
import contextlib
import random
import time
from collections.abc import Callable

from services.verifier.answers import answered_number
from services.verifier.gateways import Gateways, Opened, Unreachable
from services.verifier.history import Attempt, Kind, Sent, Stall, Talk
from services.verifier.listener import Listener

PATIENCE = 60.0
"""Seconds for an answer: a lost call ends half a minute after it began."""
_AGAIN_SECONDS = 0.1
_KINDS: tuple[Kind, ...] = ("say", "ask", "order", "choose", "form", "set")
_WEIGHTS = (60, 8, 5, 10, 10, 7)
_CALLS = ("ask", "order")
_BURSTS = (1, 1, 1, 2, 3, 5)
_STREAMS, _TWICE, _AT_ONCE, _GO_ON = 0.75, 0.1, 0.5, 0.2
_MOST_OPEN = 20


class Talker:
    """Talks until `events` are sent or `stop` says so; afterwards `talk` is its history."""

    def __init__(self, gateways: Gateways, opened: Opened, chance: random.Random) -> None:
        self.opened = opened
        self.talk = Talk(opened.id)
        self.stalls: list[Stall] = []
        self.events = 0
        self._gateways = gateways
        self._chance = chance
        self._listener = Listener(gateways, opened, chance, streams=chance.random() < _STREAMS)
        self._open: dict[int, tuple[float, Kind]] = {}
        self._last_call = 0.0
        self._answered: dict[int, float] = {}
        self._looked = (0, 0)
        self._number = 0

    async def run(self, events: int, stop: Callable[[], bool]) -> Talk:
        """Say everything, wait for all answers, and read the conversation again from its start."""
        try:
            while self._number < events and not stop():
                await self._burst(min(self._chance.choice(_BURSTS), events - self._number))
                if len(self._open) > _MOST_OPEN or self._chance.random() >= _GO_ON:
                    await self._answers()
            await self._answers()
            await self._read_again()
        finally:
            await self._listener.close()
            self.talk.listened = self._listener.listened
        return self.talk

    async def _burst(self, size: int) -> None:
        sending = []
        for _ in range(size):
            self._number += 1
            sending.append(self._send(self._number, self._chance.choices(_KINDS, _WEIGHTS)[0]))
        if self._chance.random() < _AT_ONCE:
            await asyncio.gather(*sending)
        else:
            for one in sending:
                await one

    async def _send(self, number: int, kind: Kind) -> None:
        sent = Sent(number, kind, [])
        self.talk.sent.append(sent)
        twice = self._chance.random() < _TWICE and kind != "set"
        once = self._until_taken if kind not in ("form", "set") else self._post_once
        if twice and self._chance.random() < _AT_ONCE:
            await asyncio.gather(once(sent), once(sent))
        else:
            await once(sent)
            if twice and kind != "form":
                await once(sent)
        taken = [attempt.ended for attempt in sent.attempts if attempt.taken]
        self.events += bool(taken)
        if taken and kind != "set":
            self._open[number] = min(taken), kind

    async def _until_taken(self, sent: Sent) -> None:
        """Send a message under its id until a gateway says that it has it."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            attempt = await self._say(sent)
            if attempt is not None:
                sent.attempts.append(attempt)
                if attempt.taken:
                    return
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _say(self, sent: Sent) -> Attempt | None:
        if self._listener.can_send and self._chance.random() < _AT_ONCE:
            return await self._listener.say(sent.number, sent.text)
        return await self._gateways.say(self._gateways.pick(self._chance), self.opened, sent.number, sent.text)

    async def _post_once(self, sent: Sent) -> None:
        """Post a form until it has left; not again when its fate is unknown, since a repeat is known for 2 s only."""
        deadline = time.monotonic() + PATIENCE
        text = sent.text if sent.kind == "form" else None
        while time.monotonic() < deadline:
            way = self._gateways.pick(self._chance)
            attempt = await self._gateways.fill_in(way, self.opened, sent.number, text)
            if attempt is not None:
                sent.attempts.append(attempt)
                if attempt.outcome != "refused":
                    return
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _answers(self) -> None:
        """Wait for the answers to everything that was taken."""
        deadline = time.monotonic() + PATIENCE
        while True:
            self._listener.news.clear()
            self._look()
            left = deadline - time.monotonic()
            if not self._open or left <= 0:
                self._open.clear()  # the checker says what is missing
                return
            try:
                async with asyncio.timeout(left):
                    await self._listener.news.wait()
            except TimeoutError:
                continue

    def _look(self) -> None:
        """Note the answers that came since the last look, and how long they took."""
        connection, message = self._looked
        listened = self._listener.listened
        while connection < len(listened):
            for one in listened[connection].heard[message:]:
                self._answered.setdefault(answered_number(one), one.at)
            message = len(listened[connection].heard)
            if connection + 1 == len(listened):
                break
            connection, message = connection + 1, 0
        self._looked = connection, message
        answered = sorted(self._open.keys() & self._answered.keys(), key=self._answered.__getitem__)
        for number in answered:
            self._note(number, *self._open.pop(number))

    def _note(self, number: int, accepted: float, kind: Kind) -> None:
        """Note how long an answer took; what waited behind a call is kept apart."""
        at = self._answered[number]
        if kind in _CALLS:
            self._last_call = max(self._last_call, at)
        behind = self._last_call > accepted or any(other in _CALLS for _, other in self._open.values())
        self.stalls.append(Stall(max(0.0, at - accepted), accepted, self.opened.id, f"{kind} {number}", behind))

    async def _read_again(self) -> None:
        """Read everything, and let the listener hear that much; what came meanwhile is read as well."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if not await self._read_all():
                await asyncio.sleep(_AGAIN_SECONDS)
                continue
            last = max((message.sequence for message in self.talk.stored), default=0)
            await self._heard_until(last, deadline)
            if self._listener.cursor <= last:
                return
        if not self.talk.stored:
            raise Unreachable(f"Conversation {self.opened.id} could not be read for {PATIENCE:.0f} seconds.")

    async def _heard_until(self, last: int, deadline: float) -> None:
        """Wait until the listener has heard the message `last`."""
        while self._listener.cursor < last and (left := deadline - time.monotonic()) > 0:
            self._listener.news.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._listener.news.wait()

    async def _read_all(self) -> bool:
        self.talk.stored = []
        after = 0
        while True:
            page = await self._gateways.read(self._gateways.pick(self._chance), self.opened, after)
            if page is None:
                return False
            messages, gap = page
            self.talk.trimmed = self.talk.trimmed or (gap and after == 0)
            if not messages:
                return True
            self.talk.stored += messages
            after = messages[-1].sequence
