"""What the engine says of a script before it runs: whether it can be parsed, and which names it would find."""

import re

import msgspec
import quickjs

from shared.scripting.dialect import without_for_each
from shared.scripting.limits import Limits
from shared.scripting.world import entered

# The script begins on a line of its own, so that columns are the author's.
_BEFORE = "(function(){\n"
_AFTER = "\n})"
_PLACE = re.compile(r"<input>:(\d+):(\d+)")
_LONGEST_NOTE = 200


class Unparsable(msgspec.Struct, frozen=True):
    """Why a script cannot be parsed; `line` and `column` count from 1, 0 when the engine does not say."""

    problem: str
    line: int = 0
    column: int = 0


class KnownNames(msgspec.Struct, frozen=True):
    """The functions of `botContext`, and the global names of the language."""

    functions: frozenset[str]
    builtins: frozenset[str]


def parse_failure(source: str, limits: Limits = Limits()) -> Unparsable | None:  # noqa: B008 (frozen)
    """Tell why a panel's code or the Global Functions cannot be parsed; None when they can."""
    failure = _failure(source, limits)
    if failure is not None and (mended := without_for_each(source)) != source:
        return _failure(mended, limits)
    return failure


def known_names() -> KnownNames:
    """Ask the world of scripts for its names."""
    context = quickjs.Context()
    enter = entered(context)
    functions = msgspec.json.decode(enter("names"), type=frozenset[str])
    builtins = msgspec.json.decode(
        context.eval("JSON.stringify(Object.getOwnPropertyNames(globalThis))"), type=frozenset[str]
    )
    return KnownNames(functions, builtins)


def _failure(source: str, limits: Limits) -> Unparsable | None:
    """Parse a script as the body of a function, in a world of its own: what closes that body early runs there."""
    context = quickjs.Context()
    context.set_memory_limit(limits.heap)
    context.set_max_stack_size(limits.stack)
    context.set_time_limit(limits.script_seconds)
    try:
        context.eval(_BEFORE + source + _AFTER)
    except quickjs.JSException as error:
        return _told(str(error), source)
    except (ValueError, MemoryError, TypeError):  # TypeError: a result of a kind the binding does not know
        return Unparsable("it holds something that is no text")
    return None


def _told(error: str, source: str) -> Unparsable:
    problem = error.partition("\n")[0].removeprefix("SyntaxError: ")[:_LONGEST_NOTE]
    found = _PLACE.search(error)
    if found is None:
        return Unparsable(problem)
    lines = source.split("\n")
    line, column = int(found[1]) - _BEFORE.count("\n"), int(found[2])
    if line > len(lines):
        return Unparsable("it ends before everything opened is closed", len(lines), len(lines[-1]) + 1)
    return Unparsable(problem, max(line, 1), column)
