"""Bursts: several messages of a conversation at once, over connections of their own, and what became of their order."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Sequence

import msgspec

from tests.bench.talk import Talk, open_talks, until

BOT_ID = "bench-saying"
BURST = 5


class Verdict(msgspec.Struct, frozen=True):
    """What was wrong: replies missing, replies too many, and replies that stand where another should."""

    lost: int = 0
    doubled: int = 0
    out_of_order: int = 0

    @property
    def violations(self) -> int:
        """All of them."""
        return self.lost + self.doubled + self.out_of_order


def verdict(accepted: Sequence[str], replied: Sequence[str]) -> Verdict:
    """Compare what one conversation answered with what it had accepted, in order of acceptance."""
    answered = Counter(replied)
    lost = sum(1 for text in accepted if not answered[text])
    doubled = sum(count - 1 for count in answered.values())
    first = list(dict.fromkeys(replied))
    there = [text for text in accepted if answered[text]]
    moved = sum(1 for expected, found in zip(there, first, strict=False) if expected != found)
    return Verdict(lost, doubled, moved)


class Bursts(msgspec.Struct, frozen=True):
    """What bursts came to."""

    messages: int
    seconds: float
    verdict: Verdict
    wrong_counts: int


class _Accepted(msgspec.Struct):
    id: str
    sequence: int


class _Bursting:
    """One conversation: the next burst begins when all of the last was accepted and answered."""

    def __init__(self, talk: Talk, bursts: int, first_word: str) -> None:
        self._talk = talk
        self._left = bursts
        self._first_word = first_word
        self._sent = 0
        self.accepted: list[tuple[int, str]] = []
        self.replied: list[str] = []
        self.wrong_counts = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        talk.accepted = self._accept
        talk.replied = self._reply

    def say(self) -> None:
        for line in range(BURST):
            text = f"{'say' if line else self._first_word} {self._sent}"
            self._sent += 1
            self._talk.say(text, line=line, message_id=text)

    def verdict(self) -> Verdict:
        return verdict([text for _, text in sorted(self.accepted)], self.replied)

    def _accept(self, body: bytes) -> None:
        accepted = msgspec.json.decode(body, type=_Accepted)
        self.accepted.append((accepted.sequence, accepted.id))
        self._go_on()

    def _reply(self, text: str) -> None:
        count, _, said = text.partition(" ")
        self.replied.append(said)
        self.wrong_counts += count != str(len(self.replied))
        self._go_on()

    def _go_on(self) -> None:
        if len(self.accepted) < self._sent or len(self.replied) < self._sent:
            return
        self._left -= 1
        if self._left:
            self.say()
        elif not self.done.done():
            self.done.set_result(None)


async def burst(host: str, conversations: int, bursts: int, first_word: str = "say") -> Bursts:
    """Open conversations and send bursts; each burst begins with `first_word`. Raises Broken.

    A second is waited at the end for what should not come: answers given twice.
    """
    talks = [Talk(host, lines=BURST) for _ in range(conversations)]
    await open_talks(talks, BOT_ID)
    bursting = [_Bursting(talk, bursts, first_word) for talk in talks]
    began = time.perf_counter()
    for one in bursting:
        one.say()
    with contextlib.suppress(TimeoutError):  # what is missing is counted below
        await until([one.done for one in bursting], talks)
    seconds = time.perf_counter() - began
    await asyncio.sleep(1)
    for talk in talks:
        talk.close()
    verdicts = [one.verdict() for one in bursting]
    found = Verdict(*(sum(getattr(one, name) for one in verdicts) for name in Verdict.__struct_fields__))
    return Bursts(conversations * bursts * BURST, seconds, found, sum(one.wrong_counts for one in bursting))
