"""Tells scripts that cannot leave a trace in their world from those that might: after the former it can be used again.

A world costs more to make than most scripts to run. Law: a script is traceless only if every word of it is one of a
small language in which nothing can be reached and changed but the script's own variables. Names without `var` are
deleted before each script (prelude.js); what is not understood here counts as a trace.
"""

import re
from functools import lru_cache

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


@lru_cache(maxsize=4096)
def is_traceless(source: str) -> bool:
    """Whether a panel's code, or the Global Functions, leave a world as they found it (if no exception ends them)."""
    if "<!--" in source or "-->" in source or names_java_methods(source):  # comments, in places; methods of texts
        return False
    words = _words(source)
    return words is not None and _is_balanced(words) and all(_is_harmless(words, at) for at in range(2, len(words) - 2))


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
    if kind != "mark":
        return True
    if value == "[":
        return not _is_access(words[at - 1]) or (words[at + 1][0] == "number" and words[at + 2] == ("mark", "]"))
    if value in {"++", "--"}:
        # a line may end on either side of it, so neither side may be a member
        before, after = words[at - 1], words[at + 1]
        return (_is_variable(words, at - 1) or not _is_access(before)) and (
            after[0] != "name" or (_may_change(after[1]) and words[at + 2][1] not in {".", "[", "(", "?"})
        )
    return value not in _ASSIGNS or _is_variable(words, at - 1)


def _is_access(before: _Word) -> bool:
    """Whether a bracket after this word reads a member instead of beginning a list."""
    kind, value = before
    return kind in _ENDS_A_VALUE or value in {")", "]", "}", "."} or value in {"true", "false", "null"}


def _is_variable(words: list[_Word], at: int) -> bool:
    """Whether the word is a variable that a script may change: no member of anything, nothing built in."""
    return words[at][0] == "name" and words[at - 1][1] not in {".", "..."} and _may_change(words[at][1])


def _may_change(name: str) -> bool:
    return name not in _PURE
