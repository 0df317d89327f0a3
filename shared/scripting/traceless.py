"""Tells scripts that cannot leave a trace in their world from those that might: after the former it can be used again.

A world costs more to make than most scripts to run. Law: a script is traceless only if every word of it is one of a
small language in which nothing can be reached and changed but the script's own variables. Names without `var` are
deleted before each script (prelude.js); what is not understood here counts as a trace. A function of the Global
Functions counts only for scripts that can call it: in this language, by its name.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from shared.scripting.dialect import names_java_methods

_WORD = re.compile(
    r"""(?P<blank>\s+|//[^\n\r\u2028\u2029]*|/\*(?:[^*]|\*(?!/))*\*/)
    |(?P<name>[A-Za-z_$][A-Za-z0-9_$]*)
    |(?P<number>\d+(?:\.\d+)?(?![\w.$]))
    |(?P<text>'(?:[^'\\\n\r]|\\.)*'|"(?:[^"\\\n\r]|\\.)*")
    |(?P<mark>=>|\+\+|--|[=!]==?|<=|>=|&&|\|\||[-+*%]=|<(?!<)|>(?!>)|[-+*%!=?:;,.(){}[\]])""",
    re.VERBOSE | re.DOTALL,
)
# Built in, and of no use to change anything: functions of values, and objects that are only read here.
_PURE = frozenset(
    "Array Boolean Date Infinity JSON Math NaN Number String botContext decodeURI decodeURIComponent encodeURI "  # noqa: SIM905 words read better in a row
    "encodeURIComponent isFinite isNaN parseFloat parseInt print undefined".split()
)
_STATEMENTS = frozenset(
    "break case catch const continue default do else false finally for function if in instanceof let new null of "  # noqa: SIM905 see above
    "return switch throw true try typeof var void while".split()
)
# Words by which other objects, other code or the global object can be reached, wherever they stand.
_REACHING = frozenset(
    "AggregateError ArrayBuffer AsyncDisposableStack Atomics BigInt BigInt64Array BigUint64Array Callsite "  # noqa: SIM905 see above
    "DOMException DataView DisposableStack Error EvalError FinalizationRegistry Float16Array Float32Array "
    "Float64Array Function Int16Array Int32Array Int8Array InternalError Iterator Map Object Promise Proxy "
    "RangeError ReferenceError Reflect RegExp Set SharedArrayBuffer SuppressedError Symbol SyntaxError TypeError "
    "URIError Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakRef WeakSet __defineGetter__ "
    "__defineSetter__ __lookupGetter__ __lookupSetter__ __proto__ apply arguments async atob await bind btoa call "
    "callee caller class constructor debugger delete escape eval export extends globalThis import navigator "
    "performance prototype queueMicrotask static super this unescape with yield".split()
)
_ASSIGNS = frozenset({"=", "+=", "-=", "*=", "%=", "++", "--"})
_ENDS_A_VALUE = frozenset({"name", "number", "text"})

_Word = tuple[str, str]
_NONE: _Word = ("", "")


class _Code(NamedTuple):
    """Some code: whether each word of it is harmless, and the names it mentions."""

    harmless: bool
    names: frozenset[str]


class _Parts(NamedTuple):
    """What a source does when it is loaded, and its functions by name: they do nothing until they are called."""

    always: _Code
    functions: dict[str, _Code]


@lru_cache(maxsize=4096)
def is_traceless(source: str, global_functions: str = "") -> bool:
    """Whether a panel's code leaves a world with these Global Functions as it found it (if no exception ends it)."""
    panel, shared = _parts(source), _parts(global_functions)
    if panel is None or shared is None or not shared.always.harmless:
        return False
    run = [panel.always, *panel.functions.values()]
    to_see = shared.always.names.union(*(code.names for code in run))
    seen: set[str] = set()
    while called := (to_see & shared.functions.keys()) - seen:
        seen |= called
        found = [shared.functions[name] for name in called]
        run += found
        to_see = to_see.union(*(code.names for code in found))
    return all(code.harmless for code in run)


@lru_cache(maxsize=1024)
def _parts(source: str) -> _Parts | None:
    """Take a source apart; None when it is not understood."""
    if "<!--" in source or "-->" in source or names_java_methods(source):  # comments, in places; methods of texts
        return None
    words = _words(source)
    if words is None or not _is_balanced(words):
        return None
    functions: dict[str, _Code] = {}
    rest = set(range(2, len(words) - 2))
    for begin, end in _functions(words):
        name = words[begin + 1][1]
        code = _code(words, range(begin, end))
        before = functions.get(name, code)
        functions[name] = _Code(code.harmless and before.harmless, code.names | before.names)
        rest.difference_update(range(begin, end))
    return _Parts(_code(words, sorted(rest)), functions)


def _code(words: list[_Word], places: Iterable[int]) -> _Code:
    places = list(places)
    names = frozenset(words[at][1] for at in places if words[at][0] == "name")
    return _Code(all(_is_harmless(words, at) for at in places), names)


def _functions(words: list[_Word]) -> Iterator[tuple[int, int]]:
    """Find each `function name(…) {…}` that is a statement outside all brackets: its first word, behind its last."""
    at, depth = 2, 0
    while at < len(words) - 2:
        begins = depth == 0 and words[at - 1] in {_NONE, ("mark", ";"), ("mark", "}")}
        if begins and words[at] == ("keyword", "function") and words[at + 1][0] == "name":
            body = _behind(words, at + 2, "(")
            end = body and _behind(words, body, "{")
            if end:
                yield at, end
                at = end
                continue
        value = words[at][1] if words[at][0] == "mark" else ""
        depth += (value in {"(", "[", "{"}) - (value in {")", "]", "}"})
        at += 1


def _behind(words: list[_Word], at: int, opens: str) -> int:
    """Return the place behind the bracket that closes the one here; 0 when there is none here."""
    if words[at] != ("mark", opens):
        return 0
    depth = 0
    while True:
        value = words[at][1] if words[at][0] == "mark" else ""
        depth += (value in {"(", "[", "{"}) - (value in {")", "]", "}"})
        at += 1
        if depth == 0:
            return at


def _words(source: str) -> list[_Word] | None:
    """Split a script into its words, two empty ones before and after; None when there is anything else in it."""
    found, at = [_NONE, _NONE], 0
    while at < len(source):
        word = _WORD.match(source, at)
        if word is None:
            return None
        at = word.end()
        if word.lastgroup != "blank":
            is_keyword = word[0] in _STATEMENTS and found[-1][1] != "."
            found.append(("keyword" if is_keyword else word.lastgroup or "", word[0]))
    return [*found, _NONE, _NONE]


def _is_balanced(words: list[_Word]) -> bool:
    """Whether no bracket closes what the script did not open: its code stands inside a function."""
    opened: list[str] = []
    closes = {")": "(", "]": "[", "}": "{"}
    for kind, value in words:
        if kind == "mark" and value in "([{":
            opened.append(value)
        elif kind == "mark" and value in closes and (not opened or opened.pop() != closes[value]):
            return False
    return not opened


def _is_harmless(words: list[_Word], at: int) -> bool:
    kind, value = words[at]
    if kind == "name":
        return value not in _REACHING
    if kind == "keyword":
        if value == "new":
            return words[at + 1] == ("name", "Date")
        return value not in {"in", "of"} or _is_variable(words, at - 1)
    if kind == "text":
        return words[at + 1] != ("mark", ":") or _is_plain_key(value)
    if kind != "mark":
        return True
    if value == "]":  # before a colon, it may be the computed key of a pattern, which takes a member out of anything
        return words[at + 1] != ("mark", ":")
    if value == "[":
        return not _is_access(words[at - 1]) or (words[at + 1][0] == "number" and words[at + 2] == ("mark", "]"))
    if value in {"++", "--"}:
        # a line may end on either side of it, so neither side may be a member
        return (_is_variable(words, at - 1) or not _is_access(words[at - 1])) and _changes_no_member(words, at + 1)
    return value not in _ASSIGNS or _is_variable(words, at - 1)


def _changes_no_member(words: list[_Word], at: int) -> bool:
    """Whether what stands behind `++` or `--` cannot be a member that it changes, such as in `++(a.b)`."""
    kind, value = words[at]
    if kind == "name":
        return _may_change(value) and words[at + 1][1] not in {".", "[", "(", "?"}
    if kind == "keyword":
        return value not in {"function", "new", "null", "true", "false"}
    return not kind or (kind == "mark" and value not in {"(", "[", "{"})


def _is_plain_key(text: str) -> bool:
    """Whether a text is no harm as a key: `({"constructor": f}) => f("…")` takes a member out of what it is given."""
    return "\\" not in text and text[1:-1] not in _REACHING


def _is_access(before: _Word) -> bool:
    """Whether a bracket after this word reads a member instead of beginning a list."""
    kind, value = before
    return kind in _ENDS_A_VALUE or value in {")", "]", "}", "."} or value in {"true", "false", "null"}


def _is_variable(words: list[_Word], at: int) -> bool:
    """Whether the word is a variable that a script may change: no member of anything, nothing built in."""
    return words[at][0] == "name" and words[at - 1][1] not in {".", "..."} and _may_change(words[at][1])


def _may_change(name: str) -> bool:
    return name not in _PURE
