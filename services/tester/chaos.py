"""Plays a scenario again and again, each time with one integration at fault, and says what its consumer suffers.

What the steps expect does not count then; what must hold whatever a service does is: the consumer is answered, the
flow ends, and nothing is shown that only programmers understand. Without faults the scenario has to pass.
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from services.tester.batch import load, play_one, understander
from services.tester.calls import Answering, StubBook, Unexpected
from services.tester.faults import FAULTS, Fault
from services.tester.marked import Place
from services.tester.playing import happen
from services.tester.rawness import raw_sign
from services.tester.suite import AdvanceStep, Scenario, Stub, StubAnswer, UserStep, WebViewStep
from services.tester.talk import EngineTalk, Heard, shown_texts
from shared.bot.integration import Integration
from shared.dialog.trace import TraceLine

MOST_CALLS = 200
_SPEAKS = frozenset({"reply", "transfer", "close"})
_SCRIPT_ENDS = frozenset({"script-failed", "script-stopped"})


class Finding(msgspec.Struct, frozen=True):
    """What a consumer suffers, at which step: `kind` is `hangs`, `unanswered`, `loops`, `raw` or `engine`."""

    kind: str
    place: Place
    note: str
    heard: tuple[str, ...] = ()


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One fault of one integration from its `first` call on (counted from 1).

    `scripts` names those that ended with an error, which no consumer notices by itself.
    """

    integration: str
    fault: str
    first: int
    steps: int
    findings: tuple[Finding, ...] = ()
    scripts: tuple[str, ...] = ()


class Shaken(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one scenario under all faults; `broken` says why it does not even pass without them.

    `integrations` are all that its bot could call.
    """

    place: Place
    name: str
    bot: Path
    integrations: tuple[str, ...] = ()
    trials: tuple[Trial, ...] = ()
    seconds: float = 0.0
    broken: str = ""


class _Step(msgspec.Struct):
    """What a step of the consumer brought; `answered`: something was said, after the last call if there was one."""

    place: Place
    heard: list[Heard] = []
    calls: Counter[str] = msgspec.field(default_factory=Counter)
    calling: str = ""
    faulted: bool = False
    answered: bool = False
    lines: list[TraceLine] = []


class _FaultyBook(StubBook):
    """Stubs of which one has a fault from some call on; a list of answers goes on with its last one."""

    def __init__(self, stubs: Mapping[str, Stub], target: str = "", fault: Fault | None = None, first: int = 1) -> None:
        super().__init__({name: _without_requests(stub) for name, stub in stubs.items()})
        self._target = target
        self._fault = fault
        self._first = first
        self._made: Counter[str] = Counter()
        self.step = _Step(Place("", 0))
        self.applied = False

    def call(self, integration: Integration) -> Answering:
        """Begin a call. Raises Unexpected when nothing answers for it, or when there are far too many."""
        name = integration.name
        self.step.calls[name] += 1
        self.step.answered = False
        self._made[name] += 1
        if self._made.total() > MOST_CALLS:
            raise _Endless
        if self._fault is None or name != self._target or self._made[name] < self._first:
            return super().call(integration)
        normal = super().call(integration).next()
        worse = self._fault.worse(normal, integration.policy)
        if worse is None:
            return _Same(normal)
        self.applied = self.step.faulted = True
        return _Same(worse)

    def take(self, name: str, stub: Stub) -> StubAnswer:
        """Return the next answer."""
        return super().take(name, stub) or stub.answers[-1]


class _Same:
    """Answers every attempt of a call alike."""

    def __init__(self, answer: StubAnswer) -> None:
        self._answer = answer

    def next(self) -> StubAnswer:
        """Return the answer."""
        return self._answer


class _Endless(Unexpected):
    """Far too many calls are made."""

    def __init__(self) -> None:
        super().__init__(f"more than {MOST_CALLS} calls are made")


class _Walk(msgspec.Struct):
    """What became of a scenario's steps; `ended` is why not all could be taken."""

    steps: list[_Step] = []
    ended: Unexpected | None = None


def shake(scenario: Scenario) -> Shaken:
    """Play one scenario under every fault of every integration it calls."""
    started = time.perf_counter()
    played = play_one(scenario).played
    broken = "" if played.failure is None else f"{played.failure.place}: {played.failure.sentence}"
    trials = () if broken else tuple(_trials(scenario))
    known = load(scenario.bot, scenario.manifest).integrations.values()
    return Shaken(
        place=scenario.place,
        name=scenario.name,
        bot=scenario.bot,
        integrations=tuple(one.name for one in known if not one.uncallable),
        trials=trials,
        seconds=time.perf_counter() - started,
        broken=broken,
    )


def _trials(scenario: Scenario) -> Iterator[Trial]:
    stubs = scenario.setting.stubs
    usual = _walk(scenario, _FaultyBook(stubs))
    calls: Counter[str] = sum((step.calls for step in usual.steps), Counter())
    for integration, count in calls.items():
        for fault in FAULTS:
            for first in range(1, count + 1):
                book = _FaultyBook(stubs, integration, fault, first)
                walk = _walk(scenario, book)
                if book.applied:
                    yield Trial(
                        integration=integration,
                        fault=fault.name,
                        first=first,
                        steps=len(walk.steps),
                        findings=tuple(_judged(walk, usual)),
                        scripts=tuple(_scripts(walk, usual)),
                    )


def _walk(scenario: Scenario, book: _FaultyBook) -> _Walk:
    """Let everything happen that does not come from the bot, as far as it can (a tap needs what it taps)."""
    bot = load(scenario.bot, scenario.manifest)
    walk = _Walk([])

    def watch(lines: list[TraceLine]) -> None:
        book.step.lines += [line for line in lines if line.level == "warning"]
        book.step.answered |= any(line.code in _SPEAKS for line in lines)
        book.step.calling = next((line.interaction for line in lines if line.code == "outcome"), book.step.calling)

    talk = EngineTalk(bot, scenario.setting, watch, understander(scenario.bot, scenario.manifest), book)
    for step in scenario.steps:
        if not isinstance(step, UserStep | WebViewStep | AdvanceStep):
            continue
        book.step = _Step(step.place, [], Counter(), lines=[])
        walk.steps.append(book.step)
        try:
            happen(step, talk, bot)
        except Unexpected as ended:
            walk.ended = ended
            return walk
        while (heard := talk.hear()) is not None:
            book.step.heard.append(heard)
    return walk


def _judged(walk: _Walk, usual: _Walk) -> Iterator[Finding]:
    """Compare a walk with a fault with the usual one."""
    known = {text for step in usual.steps for heard in step.heard for text in shown_texts(heard)}
    for step, before in zip(walk.steps, usual.steps, strict=False):
        texts = tuple(text for heard in step.heard for text in shown_texts(heard))
        if step.faulted and step is not _unfinished(walk):
            yield from _silence(step, before, texts)
        for line in step.lines:
            if line.code == "chain-limit" and not any(one.code == "chain-limit" for one in before.lines):
                yield Finding("loops", step.place, f"{line.interaction}: {line.note}".lstrip(": "), texts)
        for text in dict.fromkeys(texts):
            if text not in known and (sign := raw_sign(text)) is not None:
                yield Finding("raw", step.place, f"the consumer reads {sign}", (text,))
    if isinstance(walk.ended, _Endless):
        yield Finding("loops", walk.steps[-1].place, str(walk.ended))
    elif walk.ended is not None and walk.ended.__cause__ is not None:
        yield Finding("engine", walk.steps[-1].place, str(walk.ended))


def _silence(step: _Step, before: _Step, texts: tuple[str, ...]) -> Iterator[Finding]:
    if before.heard and not step.heard:
        yield Finding("hangs", step.place, f"{step.calling} is followed by nothing although an answer is due")
    elif before.answered and not step.answered:
        yield Finding("unanswered", step.place, f"{step.calling} is followed by nothing more", texts)


def _unfinished(walk: _Walk) -> _Step | None:
    """Return the step in which the walk ended early: what it would have said is not known."""
    return walk.steps[-1] if walk.ended is not None else None


def _scripts(walk: _Walk, usual: _Walk) -> Iterator[str]:
    """Name the scripts that end with an error because of the fault."""
    known = {(line.interaction, line.note) for step in usual.steps for line in step.lines}
    failed = [line for step in walk.steps for line in step.lines if line.code in _SCRIPT_ENDS]
    yield from dict.fromkeys(
        f"{line.interaction}: {line.note}" for line in failed if (line.interaction, line.note) not in known
    )


def _without_requests(stub: Stub) -> Stub:
    """Let a stub answer whatever it is asked: after a fault the bot may ask for something else."""
    answers = tuple(msgspec.structs.replace(answer, request=None) for answer in stub.answers)
    return msgspec.structs.replace(stub, answers=answers)
