"""One QuickJS context with the prelude in it: JSON text in, JSON text out, no Python function within its reach."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
import quickjs

from shared.scripting.dialect import names_java_methods, without_for_each
from shared.scripting.limits import Limits

# Prelude and Global Functions begin beyond the lines of all scripts, so that a line below is the script's (prelude.js).
# Each line before it costs time: the fewest are taken that a bot's longest script needs.
_ROOMS = (100, 1000, 10_000, 100_000)
_USUAL_ROOM = 5000
# After so many turns a world goes whatever its scripts did: garbage that refers to itself goes with it.
_MOST_TURNS = 200
# For so many bots a world is ready.
_MOST_READY = 4
# What may be used to fetch the effects of a script that has used up its time or memory.
_GRACE_SECONDS = 0.5
_GRACE_HEAP = 16 << 20
MEMORY = "the script used more memory than its limit"
# What the engine says then: it may not even have the memory for its words.
_EXHAUSTED = {"", "null", "[uninitialized]", "InternalError", "InternalError: out of memory"}
# JSON.stringify escapes only halves of surrogate pairs, which are no text.
_HALF_PAIR = re.compile(r"(?<!\\)((?:\\\\)*)\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
# Importing the binding starts a thread, for a class not used here: system call filters would not hold for it.
quickjs.Function._threadpool.shutdown()  # noqa: SLF001 - there is no other way to it

# TypeError: a result of a kind the binding does not know.
_ENGINE_ERRORS = (quickjs.JSException, UnicodeDecodeError, MemoryError, TypeError)


def _line(name: str) -> str:
    """Read a JavaScript file without its indentation and whole-line comments, as a single line."""
    source = Path(__file__).with_name(name).read_text(encoding="utf-8")
    lines = (line.strip() for line in source.splitlines())
    return " ".join(line for line in lines if not line.startswith("//"))


PRELUDE = _line("prelude.js")
REST = tuple(map(_line, ("rest.js", "context.js", "rare.js", "clock.js", "talk.js")))


class Stopped(Exception):  # noqa: N818 - what a limit did, not a mistake of the caller
    """A limit ended the script: the message says which. `answer` is what it had done, None if that is lost."""

    def __init__(self, message: str, answer: str | None = None) -> None:
        super().__init__(message)
        self.answer = answer


class Failure(msgspec.Struct, frozen=True, array_like=True):
    """An uncaught exception: its message, its line in the script and in the Global Functions (0: not there).

    `exhausted`: it is no exception of the script, the memory was used up.
    """

    message: str
    line: int = 0
    globals_line: int = 0
    exhausted: bool = False


def entered(context: quickjs.Context, room: int = _USUAL_ROOM) -> Callable[..., Any]:
    """Put the prelude into a context, `room` lines down, and give the way in (see prelude.js)."""
    enter: Callable[..., Any] = context.eval("\n" * room + PRELUDE)
    enter("rest", room + 1, *REST)
    return enter


class World:
    """A JavaScript world for the scripts of one turn, of up to `room` lines; not to be used again after `Stopped`."""

    def __init__(self, limits: Limits, room: int = _USUAL_ROOM) -> None:
        self._limits = limits
        self._context = quickjs.Context()
        self._context.set_memory_limit(limits.heap)
        self._context.set_max_stack_size(limits.stack)
        self._enter = entered(self._context, room)
        self.global_functions: str | None = None
        self.turns = 0
        self.java = False
        self.globals_failure: Failure | None = None

    def load(self, global_functions: str) -> None:
        """Parse the Global Functions once. If they cannot be parsed, scripts run without them (`globals_failure`)."""
        self.global_functions = global_functions
        self.java = names_java_methods(global_functions)
        self._context.set_time_limit(self._limits.script_seconds)
        source = msgspec.json.encode(global_functions).decode()
        try:
            failure = self._enter("load", source)
            if failure != "null" and (mended := without_for_each(global_functions)) != global_functions:
                failure = self._enter("load", msgspec.json.encode(mended).decode())
            self.globals_failure = msgspec.json.decode(str(failure), type=Failure | None)
        except (*_ENGINE_ERRORS, msgspec.DecodeError) as error:  # they may leave their function when they are parsed
            raise Stopped(_reason(error)) from None

    def parse_rest(self, parts: int) -> None:
        """Parse what few scripts need before one asks for it: `parts` as in `Answer.rest`. Raises Stopped."""
        self._context.set_time_limit(self._limits.script_seconds)
        try:
            self._enter("names", parts)
        except _ENGINE_ERRORS as error:
            raise Stopped(_reason(error)) from None

    def run(self, request: str, seconds: float) -> str:
        """Run one script; `request` and the answer are JSON texts as in prelude.js. Raises Stopped."""
        self._context.set_time_limit(seconds)
        try:
            return _text(self._enter("run", request))
        except _ENGINE_ERRORS as error:
            raise Stopped(_reason(error), self._rescue()) from None

    def _rescue(self) -> str | None:
        """Fetch what a stopped script had done; the script itself has no part in this."""
        self._context.set_memory_limit(self._limits.heap + _GRACE_HEAP)
        self._context.set_time_limit(_GRACE_SECONDS)
        try:
            return _text(self._enter("take"))
        except _ENGINE_ERRORS:
            return None


class Worlds:
    """Makes worlds, beforehand for the bots that ran last. Each has its own: it may have changed what it has been in.

    `zones` are the time zones that scripts have asked for; `rest` as in `Answer.rest`.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._room = _USUAL_ROOM
        self._blank: World | None = None
        self._ready: dict[tuple[str, str], World] = {}  # by bot and its Global Functions, which have been loaded
        self._last: tuple[str, str] | None = None
        self.rest = 0
        self.zones: set[str] = set()

    def make_room(self, lines: Iterable[int]) -> None:
        """Say how many lines the scripts of each bot have that is going to be run: fewer make worlds cheaper."""
        longest = max(lines, default=0)
        self._room = next((room for room in _ROOMS if room > longest), _ROOMS[-1])
        self._blank = None
        self._ready.clear()

    def keep(self, world: World) -> None:
        """Take back a world that the scripts of the last turn left as it was."""
        world.turns += 1
        if world.turns < _MOST_TURNS and self._last is not None and world.global_functions == self._last[1]:
            self._put(world)

    def take(self, bot: str, global_functions: str) -> World:
        """Give a world in which this bot alone has been. Raises Stopped when parsing its functions exceeds a limit."""
        self._last = (bot, global_functions)
        world = self._ready.pop(self._last, None)
        if world is None:
            world, self._blank = self._blank or World(self._limits, self._room), None
            world.load(global_functions)
        return world

    def prepare(self) -> None:
        """Have a world ready; to be called when nobody waits."""
        if self._last is None:
            self._blank = self._blank or World(self._limits, self._room)
        elif self._last not in self._ready:
            world = World(self._limits, self._room)
            try:
                world.load(self._last[1])
                if self.rest:
                    world.parse_rest(self.rest)
            except Stopped:  # the turn that needs them will be told
                self._last = None
            else:
                self._put(world)

    def _put(self, world: World) -> None:
        """Have a world ready for the bot that ran last; the one that has waited longest makes room."""
        if self._last is not None:
            self._ready[self._last] = world
            if len(self._ready) > _MOST_READY:
                del self._ready[next(iter(self._ready))]


def _text(answer: object) -> str:
    """Check and clean an answer: half surrogate pairs become the replacement character."""
    answer = str(answer)
    return _HALF_PAIR.sub("\\1\N{REPLACEMENT CHARACTER}", answer) if "\\u" in answer else answer


def _reason(error: Exception) -> str:
    """Name the limit in words that tell the author what to change."""
    said = str(error).partition("\n")[0]
    if said == "InternalError: interrupted":
        return "the script took longer than its time limit"
    if isinstance(error, quickjs.JSException) and said not in _EXHAUSTED:
        return f"the script broke what its functions run on: {said[:200]}"
    return MEMORY
