"""All findings about one bot, in the order of its dialogs."""

from collections.abc import Iterator

import msgspec

from services.check.calls import check_calls
from services.check.codes import ERROR, INFO, WARNING, levelled, remedy_of
from services.check.content import check_content
from services.check.credentials import check_credentials
from services.check.domains import check_domains
from services.check.forms import check_forms
from services.check.matching import check_matching
from services.check.panels import GLOBAL_FUNCTIONS, INTEGRATIONS
from services.check.placeholders import check_placeholders
from services.check.reach import check_reach
from services.check.scripts import check_scripts
from services.check.subject import subject_of
from shared.bot.errors import Finding
from shared.bot.source import BotSource

_CHECKS = (
    check_scripts,
    check_placeholders,
    check_reach,
    check_matching,
    check_calls,
    check_credentials,
    check_forms,
    check_domains,
    check_content,
)
_LEVELS = (ERROR, WARNING, INFO)
ELSEWHERE = "Export and manifest"


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

    def grouped(self) -> Iterator[tuple[str, list[Finding]]]:
        """Yield headings with the findings below them; without findings there is no heading."""
        for group in (*self.groups, ELSEWHERE):
            findings = [finding for finding in self.findings if _group(finding, self.groups) == group]
            if findings:
                yield group, findings

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
    findings = [msgspec.structs.asdict(one) | {"remedy": remedy_of(one)} for one in report.findings]
    content = {
        "bot": report.id,
        "version": report.version,
        "findings": findings,
        "errors": report.count(ERROR),
        "warnings": report.count(WARNING),
    }
    return msgspec.json.encode(content).decode()


def _group(finding: Finding, groups: tuple[str, ...]) -> str:
    """Return the heading a finding belongs under: the longest one its place begins with."""
    fitting = [name for name in groups if finding.place == name or finding.place.startswith(f"{name} / ")]
    return max(fitting, key=len, default=ELSEWHERE)
