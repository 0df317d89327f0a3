"""Runs turns: keeps compiled bots, prepares JavaScript worlds, and turns every failure into an answer."""

import re
import time
import traceback
from collections.abc import Callable

import msgspec

from services.turn_process import wire
from shared.bot.bot import compile_bot
from shared.bot.errors import BotError
from shared.bot.model import Bot
from shared.bot.source import open_blob
from shared.dialog.engine import advance
from shared.dialog.frames import VERSIONS_KEPT, Advance, Answer, Load, Loaded
from shared.dialog.scripts import NeedContext
from shared.dialog.trace import without_values
from shared.privacy.masking import masked, sensitive_values
from shared.privacy.naming import Sensitive
from shared.scripting.limits import Limits
from shared.scripting.runtime import QuickJsScripts
from shared.scripting.world import Worlds
from shared.understanding.local import understander_of
from shared.understanding.understander import Understander, understand_event

_LINE_END = re.compile("[\n\r\u2028\u2029]")


class Turns:
    """What a turn process knows: bots by version, and a world made ready while it was idle."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._bots: dict[str, tuple[Bot, Understander | None, Sensitive]] = {}
        self._worlds = Worlds(limits)
        self._scripts: QuickJsScripts | None = None

    def load(self, request: Load) -> Loaded:
        """Compile a version; beyond `VERSIONS_KEPT` the one loaded first is forgotten, as the other side knows."""
        try:
            bot = compile_bot(open_blob(request.blob))
            understander = understander_of(bot)
        except BotError as error:
            return Loaded(request.version, error=str(error))
        except Exception as error:  # noqa: BLE001 - a fault of ours must not end the child
            return Loaded(request.version, error=where(error))
        self._bots[request.version] = (bot, understander, Sensitive(bot.sensitive))
        if len(self._bots) > VERSIONS_KEPT:
            del self._bots[next(iter(self._bots))]
        self._worlds.make_room(longest_script(bot) for bot, _, _ in self._bots.values())
        return Loaded(request.version)

    def answer(self, request: Advance, announce: Callable[[str], None]) -> bytes:
        """Run one turn and give the frame with its answer; `announce` is told each script before it runs."""
        started = time.perf_counter()
        try:
            answer = self._advance(request, announce)
        except NeedContext as miss:
            answer = Answer(need=miss.keys, abandon=_joined(request.abandon, miss.abandon))
        except Exception as error:  # noqa: BLE001 - the engine's failure is the worker's to handle
            answer = Answer(error=where(error))
        spent = round((time.perf_counter() - started) * 1e6)
        try:
            return wire.encode(self._timed(answer, spent))
        except Exception as error:  # noqa: BLE001 - a session that cannot be written down is an engine failure too
            return wire.encode(Answer(error=where(error), us=spent))

    def _timed(self, answer: Answer, spent: int) -> Answer:
        """Put the time a turn took into its answer."""
        scripts = 0 if self._scripts is None else round(self._scripts.seconds * 1e6)
        return msgspec.structs.replace(answer, us=spent, script_us=scripts)

    def rest(self) -> None:
        """Use the time after an answer: drop the world that was used, or keep it, and have one ready."""
        if self._scripts is not None:
            self._scripts.end()
        self._scripts = None
        self._worlds.prepare()

    def _advance(self, request: Advance, announce: Callable[[str], None]) -> Answer:
        bot, understander, sensitive = self._bots[request.version]
        if request.environment:
            bot = msgspec.structs.replace(bot, environment=bot.environment | request.environment)
        self._scripts = QuickJsScripts(bot.global_functions, self._limits, announce, self._worlds, request.version)
        turn = advance(
            bot,
            request.session,
            understand_event(request.event, understander),
            self._scripts,
            frozenset(request.abandon),
            conversation=request.conversation,
            turn=request.turn,
            forever=request.forever,
            context=request.context,
        )
        trace = turn.trace if request.keep_values else without_values(turn.trace)
        if sensitive and request.keep_values:
            known = (request.forever, *request.context.values())
            values = sensitive_values(sensitive, request.event, (request.session, turn.session), known)
            trace = masked(trace, sensitive, values)
        return Answer(turn.session, turn.effects, trace, sensitive=bool(sensitive))


def longest_script(bot: Bot) -> int:
    """Return the lines of the longest panel of a bot."""
    panels = (text for one in bot.interactions.values() for text in (one.pre, one.post, one.response))
    transforms = (integration.transform for integration in bot.integrations.values())
    return max((len(_LINE_END.findall(text)) + 1 for text in (*panels, *transforms)), default=0)


def where(error: BaseException) -> str:
    """Name an exception and the place that raised it, without its message, which may hold values."""
    place = traceback.extract_tb(error.__traceback__)[-1:]
    return " ".join([type(error).__name__, *(f"in {step.name} ({step.filename}:{step.lineno})" for step in place)])


def _joined(first: list[str], second: list[str]) -> list[str]:
    return list(dict.fromkeys([*first, *second]))
