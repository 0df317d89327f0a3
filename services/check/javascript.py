"""The words of a script: enough of JavaScript's grammar to tell names from strings, comments and regular expressions.

Whether a script parses is for the engine to say (`shared.scripting.syntax`); a second parser would be a second
opinion about the dialect. What `check` asks beyond that needs no tree.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple

_WORD = re.compile(
    r"""(?P<blank>\s+|//[^\n]*|/\*.*?(?:\*/|\Z))
    |(?P<name>[^\W\d][\w$]*|\$[\w$]*)
    |(?P<number>\.?\d(?:[eE][+-]|[\w.])*)
    |(?P<text>'(?:[^'\\\n]|\\.)*'?|"(?:[^"\\\n]|\\.)*"?)
    |(?P<mark>=>|\+\+|--|[=!]==?|&&|\|\||.)""",
    re.VERBOSE | re.DOTALL,
)
# Bounded, so that slashes without a partner cost little each.
_REGEX = re.compile(r"/(?![*/])(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.){0,500}\]){1,500}/\w*")
_CHUNK = re.compile(r"(?:[^`\\$]|\\.|\$(?!\{))*(?P<end>`|\$\{|\Z)", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]+)\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(\r\n|.))", re.DOTALL)
_PLAIN_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": "", "\r\n": ""}
# After these a slash begins a regular expression, after other names it divides.
_BEFORE_REGEX = frozenset("return typeof case in of delete void throw new else do instanceof".split())  # noqa: SIM905 words read better in a row
KEYWORDS = _BEFORE_REGEX | frozenset(
    "if for while switch catch function with super import async await yield finally try var let const this".split()  # noqa: SIM905 see above
)


class Word(NamedTuple):
    """One word: `kind` is `name`, `number`, `text` (decoded), `regex` or `mark`; `at` its line and column from 1."""

    kind: str
    value: str
    at: tuple[int, int]


def words(source: str) -> list[Word]:
    """Split a script into its words, without blanks and comments; every text has words."""
    starts = [0, *accumulate(len(line) + 1 for line in source.split("\n"))]
    return [
        Word(kind, value, (line, start - starts[line - 1] + 1))
        for kind, value, start in _pieces(source)
        for line in [bisect_right(starts, start)]
    ]


def _pieces(source: str) -> Iterator[tuple[str, str, int]]:
    """Yield kind, value and place of each word; a template is texts with code between them."""
    at = depth = 0
    templates: list[int] = []  # the depth of braces at which each open template goes on
    kind, value = "mark", ""
    while at < len(source):
        start = at
        resumes = source[at] == "}" and templates[-1:] == [depth]
        if source[at] == "`" or resumes:
            del templates[len(templates) - resumes :]
            kind, value, at, opens = _chunk(source, at, whole=not resumes)
            templates += [depth] * opens
        elif source[at] == "/" and _regex_may_follow(kind, value) and (regex := _REGEX.match(source, at)):
            kind, value, at = "regex", regex[0], regex.end()
        else:
            found = _WORD.match(source, at)
            if found is None:  # pragma: no cover - the last alternative matches any character
                return
            at = found.end()
            if found.lastgroup == "blank":
                continue
            kind, value = found.lastgroup or "", found[0]
            if kind == "mark":
                depth += (value == "{") - (value == "}")
            elif kind == "text":
                value = _plain(value[1:].removesuffix(value[0]))
        yield kind, value, start


def _chunk(source: str, at: int, *, whole: bool) -> tuple[str, str, int, bool]:
    """Read a template up to its end or the next code in it: kind, value, end, whether code follows.

    A piece of a larger text names nothing by itself: only a template without code is a text.
    """
    chunk = _CHUNK.match(source, at + 1)
    if chunk is None:  # a backslash at the very end
        return "part", "", len(source), False
    opens = chunk["end"] == "${"
    if whole and not opens:
        return "text", _plain(source[at + 1 : chunk.start("end")]), chunk.end(), False
    return "part", "", chunk.end(), opens


def _regex_may_follow(kind: str, value: str) -> bool:
    if kind == "mark":
        return value not in {")", "]", "}", "++", "--"}
    return kind == "name" and value in _BEFORE_REGEX


def _plain(inside: str) -> str:
    """Decode the escapes of a text; two halves of a character may be escaped each by itself."""
    if "\\" not in inside:
        return inside
    return _ESCAPE.sub(_character, inside).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _character(found: re.Match[str]) -> str:
    code = found[1] or found[2] or found[3]
    if code:
        return chr(int(code, 16)) if int(code, 16) <= 0x10FFFF else ""
    return _PLAIN_ESCAPES.get(found[4], found[4])
