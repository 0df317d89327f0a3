"""Findings for people: grouped by dialog, in a terminal and in a pipe."""

import textwrap
from collections.abc import Callable, Iterator

from services.check.codes import remedy_of
from services.check.report import Report
from services.cli.plain import plain
from shared.bot.errors import Finding

_INDENT = " " * 11

Paint = Callable[[str], str]
"""Colours one of the words error, warning and info."""


def as_text(report: Report, file: str, *, width: int = 0, paint: Paint = str) -> str:
    """Return all findings; `width` 0 writes each sentence on one line."""
    lines = [f"{file}: {plain(report.name)}, {report.summary()}"]
    for group, findings in report.grouped():
        lines += ["", plain(group)]
        for finding in findings:
            lines += _lines(finding, group, width, paint)
    return "\n".join(lines)


def _lines(finding: Finding, group: str, width: int, paint: Paint) -> Iterator[str]:
    where = plain(finding.place.removeprefix(group).removeprefix(" / "))
    at = f"{finding.line}:{finding.column}" if finding.line else ""
    head = "  ".join(part for part in (finding.code, f"{where} {at}".strip()) if part)
    yield f"  {paint(f'{finding.level:<7}')}  {head}"
    text = plain(f"{finding.note[:1].upper()}{finding.note[1:]}. {remedy_of(finding)}").strip()
    yield from (
        textwrap.wrap(text, width, initial_indent=_INDENT, subsequent_indent=_INDENT) if width else [_INDENT + text]
    )
