"""Runs the scripts of one turn in QuickJS: the engine's `Scripts`.

One fresh world per turn; inside it the Global Functions are instantiated anew for each script. A world whose script
was stopped is dropped and the next script gets another one, so what a script leaves behind ends there.
"""

import time
from collections.abc import Callable

from shared.dialog.scripts import NeedContext, ScriptEffect, ScriptOutcome, ScriptRef, ScriptState, Warn
from shared.scripting import crossing
from shared.scripting.dialect import names_java_methods, without_for_each
from shared.scripting.limits import Limits
from shared.scripting.overlay import Overlay
from shared.scripting.traceless import is_traceless
from shared.scripting.world import MEMORY, Failure, Stopped, World, Worlds
from shared.scripting.zones import ahead_of_utc

_INIT = "if (typeof __initConversation == 'function') __initConversation();"
# Keeps the random numbers of a turn's scripts apart; any odd constant does.
_SEED_STEP = 0x9E3779B9
# How time zones are named among what a script missed, and how many of them one script may ask for.
_ZONE = "zone|"
_ZONES = 32


def _nobody(_key: str) -> None:
    """Announce to nobody."""


class QuickJsScripts:
    """The scripts of one turn. `announce` is told each script's key before it runs, and an empty one after it.

    `worlds` may have one ready for `bot`, the version of one. Time goes on over the scripts of the turn, and what they
    may use up is the turn's.
    """

    def __init__(
        self,
        global_functions: str,
        limits: Limits,
        announce: Callable[[str], None] = _nobody,
        worlds: Worlds | None = None,
        bot: str = "",
    ) -> None:
        self._global_functions = global_functions
        self._bot = bot
        self._limits = limits
        self._announce = announce
        self._worlds = worlds or Worlds(limits)
        self._world: World | None = None
        self._traces = False
        self._overlay = Overlay()
        self._seconds = limits.turn_seconds
        self._left = (limits.effects, limits.replies)
        self._clock = 0
        self._stopped: list[str] = []
        self._globals_told = False
        self._zones = set(self._worlds.zones)

    @property
    def seconds(self) -> float:
        """CPU time of the turn's scripts so far."""
        return self._limits.turn_seconds - self._seconds

    def run(self, ref: ScriptRef, source: str, state: ScriptState) -> ScriptOutcome:
        """Run one panel (see `shared.dialog.scripts.Scripts`). Never raises but NeedContext."""
        if self._seconds <= 0:
            return ScriptOutcome(error="the turn's scripts took longer than their time limit", stopped=True)
        self._announce(ref.key)
        traces, self._traces = self._traces, True  # until it has ended as it should
        started = time.process_time()
        try:
            outcome = self._run(ref, source, state)
        finally:
            seconds = time.process_time() - started
            self._seconds -= seconds
            self._announce("")
        if outcome.stopped:
            self._world = None
            self._stopped.append(ref.key)
        code = _INIT if ref.panel == "init" else source
        self._traces = traces or outcome.error is not None or not is_traceless(code, self._global_functions)
        return ScriptOutcome(outcome.effects, outcome.error, outcome.line, outcome.stopped, round(seconds * 1e6))

    def end(self) -> None:
        """Say that the turn is over: a world that its scripts left as it was serves the next one."""
        if self._world is not None and not self._traces:
            self._worlds.keep(self._world)
        self._world = None

    def _run(self, ref: ScriptRef, source: str, state: ScriptState) -> ScriptOutcome:
        """Run the script; one that asks for a time zone runs again with it."""
        for _ in range(_ZONES):
            answer, stopped = self._attempt(ref, _INIT if ref.panel == "init" else source, state)
            if answer is None:
                return ScriptOutcome(error=stopped or "the script's effects cannot be read", stopped=True)
            asked = {key.removeprefix(_ZONE) for key in answer.missed if key.startswith(_ZONE)}
            if not asked:
                break
            self._zones |= asked
            self._worlds.zones |= {name for name in asked if ahead_of_utc(name, state.now) is not None}
        else:
            return ScriptOutcome(error=f"the script asked for more than {_ZONES} time zones", stopped=True)
        self._worlds.rest = answer.rest
        self._clock, self._left = answer.clock, (answer.left, max(answer.replies, 0))
        if answer.missed:
            raise NeedContext(list(dict.fromkeys(answer.missed)), list(self._stopped))
        effects = crossing.read_effects(answer, self._limits)
        self._overlay.add(effects, state.context)
        if stopped and not answer.halted:
            return ScriptOutcome(effects, stopped, stopped=True)
        return self._outcome(ref, answer, effects)

    def _attempt(self, ref: ScriptRef, code: str, state: ScriptState) -> tuple[crossing.Answer | None, str | None]:
        """Run the script, in a new world if need be; if it does not parse, again in the dialect this engine knows.

        Gives what it did, None if that is lost, and which limit stopped it; the world is gone then.
        """
        try:
            world = self._ready()
            answer = self._enter(world, ref, code, state)
            if answer and answer.syntax and (mended := without_for_each(code)) != code:
                answer = self._enter(world, ref, mended, state)
        except Stopped as reason:
            self._world = None
            return crossing.read_answer(reason.answer) if reason.answer else None, str(reason)
        return answer, None

    def _ready(self) -> World:
        """Give the turn's world, with its Global Functions parsed."""
        if self._world is None:
            self._world = self._worlds.take(self._bot, self._global_functions)
        return self._world

    def _enter(self, world: World, ref: ScriptRef, code: str, state: ScriptState) -> crossing.Answer | None:
        """Cross into the world and back."""
        now = max(state.now, self._clock)
        given = crossing.Surroundings(
            now=now,
            seed=(state.seed + ref.ordinal * _SEED_STEP) & 0x7FFFFFFF,
            context=self._overlay.over(state.context),
            left=self._left,
            zones={name: ahead_of_utc(name, now) for name in self._zones},
            java=world.java or names_java_methods(code),
        )
        request = crossing.request(code, state, given, self._limits)
        text = world.run(request, min(self._limits.script_seconds, self._seconds))
        return crossing.read_answer(text)

    def _outcome(self, ref: ScriptRef, answer: crossing.Answer, effects: list[ScriptEffect]) -> ScriptOutcome:
        """Say how a script ended that no limit stopped, and what became of the Global Functions (R19)."""
        loading = answer.globals or (self._world.globals_failure if self._world else None)
        failure = answer.error
        if loading and ref.panel == "global":
            failure = Failure(loading.message, loading.globals_line)
        elif loading and not self._globals_told:
            effects.append(Warn("script-failed", _told(loading)))
        self._globals_told = self._globals_told or loading is not None
        if failure is None:
            return ScriptOutcome(effects)
        if failure.exhausted:
            return ScriptOutcome(effects, MEMORY, stopped=True)
        message = failure.message
        if failure.globals_line and ref.panel != "global":
            message += f" (in the Global Functions, line {failure.globals_line})"
        return ScriptOutcome(effects, message, failure.line)


def _told(failure: Failure) -> str:
    """Describe a failure of the Global Functions without its message, which may hold values."""
    kind = failure.message.partition(":")[0] if failure.message.partition(":")[0].isidentifier() else "an exception"
    return f"the Global Functions failed while loading, line {failure.globals_line}: {kind}"
