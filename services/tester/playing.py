"""Plays one scenario to its end or to its first failure."""

import time
from typing import Any, assert_never

import msgspec

from services.tester.calls import Unexpected
from services.tester.form_tokens import FormRefused
from services.tester.hearing import check_bot, check_closed, check_silence, check_transfer, check_variables
from services.tester.marked import Place
from services.tester.suite import (
    AdvanceStep,
    BotStep,
    ClosedStep,
    NothingStep,
    Said,
    Scenario,
    Step,
    TransferStep,
    UserStep,
    VariablesStep,
    WebViewStep,
)
from services.tester.talk import Talk
from shared.bot.model import Bot

Happening = UserStep | WebViewStep | AdvanceStep


class Failure(msgspec.Struct, frozen=True):
    """Why a scenario failed: the place, a sentence, what was expected and heard, and what the trace warns of."""

    place: Place
    sentence: str
    expected: str = ""
    heard: str = ""
    warnings: tuple[str, ...] = ()


class Played(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one scenario. `steps` counts those that were taken; `skipped` says why none was."""

    place: Place
    name: str
    steps: int = 0
    seconds: float = 0.0
    failure: Failure | None = None
    skipped: str = ""


def play(scenario: Scenario, bot: Bot, talk: Talk) -> Played:
    """Take the steps of a scenario."""
    started = time.perf_counter()
    player = _Player(bot, talk)
    failure = None
    place = scenario.place
    taken = 0
    try:
        for step in scenario.steps:
            place = step.place
            taken += 1
            player.take(step)
        player.check_rest(place)
    except Unexpected as unexpected:
        failure = Failure(
            unexpected.place or place,
            str(unexpected),
            unexpected.expected,
            unexpected.heard,
            tuple(dict.fromkeys(talk.warnings())),
        )
    seconds = time.perf_counter() - started
    return Played(place=scenario.place, name=scenario.name, steps=taken, seconds=seconds, failure=failure)


def happen(step: Happening, talk: Talk, bot: Bot) -> None:
    """Let a step of the consumer, of a form or of time happen. Raises Unexpected."""
    match step:
        case UserStep(messages=messages):
            talk.say(tuple(_spoken(said, bot) for said in messages))
        case WebViewStep():
            _post(step, talk)
        case AdvanceStep(ms=ms):
            talk.advance(ms)
        case _:
            assert_never(step)


def _post(step: WebViewStep, talk: Talk) -> None:
    try:
        talk.post(step.variables, step.message)
    except FormRefused:
        if not step.refused:
            raise
        return
    if step.refused:
        raise Unexpected("the call of the form was taken, and should be refused")


def _spoken(said: Said, bot: Bot) -> Said:
    """Put what starts a dialog into words: the first pattern of its starter, without wildcards."""
    if said.starter is None:
        return said
    starter = bot.interactions.get(bot.names.get(said.starter, ""))
    if starter is None or not starter.patterns:
        raise Unexpected(f"there is no starter {said.starter!r} with a pattern to say")
    text = starter.patterns[0].source.replace("*", "").strip()
    return msgspec.structs.replace(said, text=text)


class _Player:
    """Knows whether what the bot says is looked at: after a step that happens, from the first step that hears on."""

    def __init__(self, bot: Bot, talk: Talk) -> None:
        self._bot = bot
        self._talk = talk
        self._listened = False

    def take(self, step: Step) -> None:
        match step:
            case UserStep() | WebViewStep() | AdvanceStep():
                self.check_rest(step.place)
                happen(step, self._talk, self._bot)
            case BotStep():
                check_bot(step, self._talk, self._bot)
            case TransferStep():
                check_transfer(step, self._talk)
            case ClosedStep():
                check_closed(step, self._talk)
            case NothingStep():
                check_silence(self._talk, step.place)
            case VariablesStep():
                check_variables(step, self._talk)
                return
            case _:
                assert_never(step)
        self._listened = not isinstance(step, UserStep | WebViewStep | AdvanceStep)

    def check_rest(self, place: Any) -> None:
        """See that nothing is left to hear, if the test listened at all; forget it otherwise."""
        if self._listened:
            check_silence(self._talk, place)
        while self._talk.peek() is not None:
            self._talk.hear()
