"""What Conversation Builder's engine accepts and this one does not: `for each (x in y)`, methods of Java's strings."""

import re

_HEADER = re.compile(r"\bfor\s+each\s*\(\s*((?:(?:var|let|const)\s+)?[\w$]+)\s+in\s")
_PIECE = re.compile(r"""'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|[()]""")
# That engine finds methods of java.lang.String on strings wherever JavaScript has none of the name; these are in use.
_JAVA = re.compile(
    r"\.\s*(?:equals|equalsIgnoreCase|isEmpty|isBlank|contains|matches|replaceFirst|replaceAll|hashCode|compareTo"
    r"|compareToIgnoreCase|toCharArray)\s*\("
)


def names_java_methods(source: str) -> bool:
    """Tell whether a script may call a method of Java's strings: then its world needs them (see rest.js)."""
    return _JAVA.search(source) is not None


def without_for_each(source: str) -> str:
    """Rewrite each `for each (x in y)` to `for (x of Object.values(y))`, line for line (CB: reference/scripting.md 2).

    Meant for sources that do not parse as they are: a string that contains such a loop would be rewritten too. A
    source without any is returned unchanged.
    """
    start = 0
    while header := _HEADER.search(source, start):
        end = _closing(source, header.end())
        if end < 0:
            return source
        body = source[header.end() : end]
        loop = f"for ({header[1]} of Object.values({body}))"
        source = source[: header.start()] + loop + source[end + 1 :]
        start = header.start() + len("for (")
    return source


def _closing(source: str, start: int) -> int:
    """Find the parenthesis that closes the one opened before `start`; -1 if there is none."""
    open_ones = 1
    for piece in _PIECE.finditer(source, start):
        if piece[0] == "(":
            open_ones += 1
        elif piece[0] == ")":
            open_ones -= 1
            if open_ones == 0:
                return piece.start()
    return -1
