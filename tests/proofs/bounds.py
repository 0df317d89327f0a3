"""What the turns of a proof may use: scripts with limits of their own, and an end to what never ends."""

import signal
import time
from types import FrameType

from shared.bot.model import Bot
from shared.dialog.scripts import ScriptOutcome, ScriptRef, ScriptState
from shared.scripting.limits import Limits
from shared.scripting.runtime import QuickJsScripts


class EachTurn:
    """Scripts for turn after turn: `stopped` when a limit ended one, `seconds` is the CPU they took."""

    def __init__(self, bot: Bot, limits: Limits) -> None:
        self.stopped = False
        self.seconds = 0.0
        self._bot = bot
        self._limits = limits
        self._scripts = QuickJsScripts(bot.global_functions, limits)

    def run(self, ref: ScriptRef, source: str, state: ScriptState) -> ScriptOutcome:
        """Run a script; the first one of a turn begins in a world of its own."""
        if ref.ordinal == 1:
            self._scripts = QuickJsScripts(self._bot.global_functions, self._limits)
        started = time.process_time()
        try:
            outcome = self._scripts.run(ref, source, state)
        finally:
            self.seconds += time.process_time() - started
        self.stopped = self.stopped or outcome.stopped
        return outcome


class TurnNeverEnds(Exception):  # noqa: N818 what a proof found
    """A turn used up more CPU than any turn may."""


class no_longer_than:  # noqa: N801 reads as a sentence where it is used
    """Interrupt what takes more CPU seconds; wall time says nothing on a machine that is shared."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        self._before = signal.signal(signal.SIGVTALRM, self._interrupt)
        signal.setitimer(signal.ITIMER_VIRTUAL, self._seconds)

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, self._before)

    def _interrupt(self, _signal: int, _frame: FrameType | None) -> None:
        raise TurnNeverEnds
