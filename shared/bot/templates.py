"""Templates: text with placeholders, compiled once (CB: reference/scripting.md 4).

    {$botContext.x}  {$botContext.slot.x}  {$env.x}  {Integration.field}  {$.api_X.path[0].y}  {$.api_X.list[i].y}
    {$userMessage} {$query} {$conversationId} {$chatBotId} …

A pair of braces that does not hold one of these stays as it is: JSON bodies and cards are full of braces.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

import msgspec

_PLACEHOLDER = re.compile(
    r"\{(?:"
    r"\$botcontext\.(?P<variable>[^{}\s][^{}\n]*?)"
    r"|\$env\.(?P<environment>[^{}\s][^{}\n]*?)"
    r"|\$\.(?P<path>[A-Za-z_][^{}\n]*?)"
    r"|\$(?P<system>[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z]+)?)"
    r"|(?P<field>(?=[A-Za-z_][^{}\n\"',:$]*?\.[A-Za-z_])[^{}\n\"',:$]*+)"
    r")\}",
    re.IGNORECASE,
)


class Placeholder(NamedTuple):
    """One placeholder: its `kind` (`variable`, `environment`, `path`, `system`, `field`) and what stands inside.

    `expression` is the whole text between the braces: the key of `StartCall.values`.
    """

    kind: str
    name: str
    expression: str


class Template(msgspec.Struct, frozen=True):
    """A compiled text: literal parts and placeholders in turn."""

    source: str
    parts: tuple[str | Placeholder, ...]

    @property
    def placeholders(self) -> tuple[Placeholder, ...]:
        """List the placeholders, in order, with repeats."""
        return tuple(part for part in self.parts if isinstance(part, Placeholder))

    def render(self, resolve: Callable[[Placeholder], str]) -> str:
        """Join the parts, each placeholder replaced by the text `resolve` gives."""
        return "".join(part if isinstance(part, str) else resolve(part) for part in self.parts)


def compile_template(source: str) -> Template:
    """Compile a text; every text is a valid template."""
    parts: list[str | Placeholder] = []
    end = 0
    for found in _PLACEHOLDER.finditer(source):
        kind = found.lastgroup or ""
        if found.start() > end:
            parts.append(source[end : found.start()])
        parts.append(Placeholder(kind, found[kind].strip(), found[0][1:-1]))
        end = found.end()
    if end < len(source) or not parts:
        parts.append(source[end:])
    return Template(source, tuple(parts))


def quoted_after(part: str, *, quoted: bool) -> bool:
    """Tell whether a JSON string is open after a literal part of a template, given whether one was open before it."""
    escaped = False
    for character in part:
        if escaped:
            escaped = False
        elif character == "\\" and quoted:
            escaped = True
        elif character == '"':
            quoted = not quoted
    return quoted
