"""All findings about one bot, in the order of its dialogs, as text and as JSON."""

import textwrap
from collections.abc import Callable, Iterator

import msgspec

from services.check.calls import check_calls
from services.check.codes import CODES, ERROR, INFO, WARNING, levelled
from services.check.content import check_content
from services.check.matching import check_matching
from services.check.panels import GLOBAL_FUNCTIONS, INTEGRATIONS
from services.check.placeholders import check_placeholders
from services.check.reach import check_reach
from services.check.scripts import check_scripts
from services.check.subject import subject_of
from shared.bot.errors import Finding
from shared.bot.source import BotSource

_CHECKS = (check_scripts, check_placeholders, check_reach, check_matching, check_calls, check_content)
_LEVELS = (ERROR, WARNING, INFO)
_ELSEWHERE = "Export and manifest"


class Report(msgspec.Struct, frozen=True):
    """What was found; `groups` are the headings of the text form: dialogs, integrations, Global Functions."""

    id: str
    name: str
    version: str
    findings: tuple[Finding, ...]
    groups: tuple[str, ...]

    def count(self, level: str) -> int:
        """Return how many findings have a level."""
        return sum(finding.level == level for finding in self.findings)

    def summary(self) -> str:
        """Return the counts as people say them: `1 error, 2 warnings`; `no findings`."""
        words = {ERROR: "error", WARNING: "warning", INFO: "info"}
        counts = [(self.count(level), words[level]) for level in _LEVELS]
        return ", ".join(f"{n} {word}{'s' * (n > 1)}" for n, word in counts if n) or "no findings"


def check_bot(source: BotSource) -> Report:
    """Check a bot. Raises BotError when it cannot be loaded."""
    subject = subject_of(source)
    findings = [levelled(finding) for finding in subject.bot.findings]
    findings += [finding for check in _CHECKS for finding in check(subject)]
    groups = (*(dialog.name for dialog in subject.bot.dialogs.values()), INTEGRATIONS, GLOBAL_FUNCTIONS)
    groups = tuple(dict.fromkeys(groups))
    order = {name: at for at, name in enumerate(groups)}

    def place(finding: Finding) -> tuple[int, str, int, int]:
        return order.get(_group(finding, groups), len(order)), finding.place, finding.line, finding.column

    found = tuple(sorted(dict.fromkeys(findings), key=place))
    return Report(subject.bot.id, subject.bot.name, source.version, found, groups)


def as_json(report: Report) -> str:
    """Return one line of JSON."""
    content = {
        "bot": report.id,
        "version": report.version,
        "findings": report.findings,
        "errors": report.count(ERROR),
        "warnings": report.count(WARNING),
    }
    return msgspec.json.encode(content).decode()


def as_text(
    report: Report, file: str, *, width: int = 0, colour: Callable[[str, str], str] = lambda _, text: text
) -> str:
    """Return the findings by dialog; `width` 0 does not wrap, `colour` paints a level."""
    lines = [f"{file}: {_shown(report.name)}, {report.summary()}"]
    for group in (*report.groups, _ELSEWHERE):
        findings = [finding for finding in report.findings if _group(finding, report.groups) == group]
        if findings:
            lines += [
                "",
                _shown(group),
                *(line for finding in findings for line in _lines(finding, group, width, colour)),
            ]
    return "\n".join(lines)


def _lines(finding: Finding, group: str, width: int, colour: Callable[[str, str], str]) -> Iterator[str]:
    where = _shown(finding.place.removeprefix(group).removeprefix(" / "))
    at = f"{finding.line}:{finding.column}" if finding.line else ""
    head = "  ".join(part for part in (finding.code, f"{where} {at}".strip()) if part)
    yield f"  {colour(finding.level, finding.level):<7}  {head}"
    remedy = CODES[finding.code].remedy if finding.code in CODES else ""
    text = _shown(f"{finding.note[:1].upper()}{finding.note[1:]}. {remedy}").strip()
    indent = " " * 11
    yield from textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=indent) if width else [indent + text]


def _shown(text: str) -> str:
    """Keep line ends and control characters of names and patterns away from the terminal."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def _group(finding: Finding, groups: tuple[str, ...]) -> str:
    """Return the heading a finding belongs under: the longest one its place begins with."""
    fitting = [name for name in groups if finding.place == name or finding.place.startswith(f"{name} / ")]
    return max(fitting, key=len, default=_ELSEWHERE)
