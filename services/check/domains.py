"""What is wrong with variables that are looked up."""

import difflib
from collections.abc import Iterator

from services.check.codes import found
from services.check.subject import Subject
from shared.bot.domains import SERVICES
from shared.bot.errors import Finding


def check_domains(subject: Subject) -> Iterator[Finding]:
    """Check the services that variables are looked up from: another one may exist, and names are case-sensitive."""
    for name, domain in subject.bot.domains.items():
        if domain.service not in SERVICES:
            close = difflib.get_close_matches(domain.service, SERVICES, n=1, cutoff=0.6)
            note = f"no service {domain.service} is known here" + (f": is {close[0]} meant?" if close else "")
            yield found("unknown-service", f"manifest: environment.{name}", note)
