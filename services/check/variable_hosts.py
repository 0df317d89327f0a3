"""Addresses of integrations as far as they are known before a call, and variables that make or end their hosts.

The rule is that of shared/integration/url.py: a variable of the environment is the operator's word; any other may hold
a whole address or host, a part of a host whose end is written out, or a port.
"""

import re

from services.check.codes import found
from services.check.subject import Subject
from shared.bot.errors import Finding
from shared.bot.integration import Integration
from shared.bot.templates import Placeholder

# Stands for what is only known when a call is made: no host has this name.
UNKNOWN = "\0"
_END = re.compile(r"[/?#\\]")


def known_address(integration: Integration, subject: Subject) -> str:
    """Render an address with the variables of the manifest; what is not known before a call is `UNKNOWN`."""
    return integration.url.render(lambda hole: _known(hole, subject)).strip()


def host_of_variable(integration: Integration, place: str, subject: Subject) -> Finding | None:
    """Name the first variable that makes the host of an address, or stands at its end."""
    before = ""
    parts = integration.url.parts
    for at, part in enumerate(parts):
        if isinstance(part, str):
            before += part
            continue
        rest = _rest_of_host(parts[at + 1 :])
        if part.kind != "environment" and (finding := _named(part, before.lstrip(), rest, place, subject)):
            return finding
        before += _known(part, subject)
    return None


def _named(hole: Placeholder, before: str, rest: str, place: str, subject: Subject) -> Finding | None:
    _, sign, after = before.partition("://")
    host = after.rpartition("@")[2]
    if (before and not sign) or _END.search(after) or "." in rest or host.endswith(":"):
        return None
    if host:
        unless = "" if rest else " unless it is a path"
        note = f"{{{hole.expression}}} stands at the end of its host: calls fail{unless}"
        return found("variable-ends-host", place, note)
    if subject.bot.egress.allow is not None:
        return None
    return found("variable-host", place, f"{{{hole.expression}}} decides which host is called")


def _known(hole: Placeholder, subject: Subject) -> str:
    return subject.bot.environment.get(hole.name, UNKNOWN) if hole.kind == "environment" else UNKNOWN


def _rest_of_host(parts: tuple[str | Placeholder, ...]) -> str:
    """Return what is written out of the host after a variable in it."""
    text = "".join(part if isinstance(part, str) else "" for part in parts)
    return _END.split(text, maxsplit=1)[0]
