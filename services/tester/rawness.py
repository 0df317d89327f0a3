"""What a consumer should never read: errors, templates, JSON and markup that only programmers understand. Pure."""

import re
from typing import Final

import msgspec

from services.tester.faults import MARKER

_SIGNS: Final = (
    (re.compile(re.escape(MARKER)), "a part of the service's error"),
    (re.compile(r"\{\$?(?:botContext|env|api_\w+|\.api_\w+)\b[^{}]*\}|\{\$[A-Za-z.][^{}]*\}"), "a template"),
    (re.compile(r"\{[A-Za-z_]\w*\.[A-Za-z_][\w.\[\]]*\}"), "a template"),
    (re.compile(r"<!doctype\b|</?(?:html|head|body|title|script|pre|h[1-6])\b", re.IGNORECASE), "markup"),
    (re.compile(r"\[object \w+\]|\bundefined\b|\bNaN\b|\bnull\b"), "a value of JavaScript"),
    (
        re.compile(r"\b(?:Type|Reference|Syntax|Range|Internal)Error\b|\bUnexpected token\b"),
        "an error of a script",
    ),
    (re.compile(r"\b(?:Traceback|stack ?trace|NullPointerException)\b", re.IGNORECASE), "an error of a program"),
    (re.compile(r"""[{,]\s*["'][^"']*["']\s*:\s*["'\[{\dtfn-]"""), "JSON"),
)


def raw_sign(text: str) -> str | None:
    """Return what is raw about a text, None when nothing is."""
    for expression, what in _SIGNS:
        if expression.search(text):
            return what
    return "JSON" if _is_json(text) else None


def _is_json(text: str) -> bool:
    if text.strip()[:1] not in {"{", "["}:
        return False
    try:
        return isinstance(msgspec.json.decode(text), dict | list)
    except msgspec.DecodeError:
        return False
