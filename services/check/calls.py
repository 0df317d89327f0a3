"""What integrations get wrong: kind, address, body."""

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

from services.check.codes import found
from services.check.json_text import is_json
from services.check.panels import INTEGRATIONS
from services.check.subject import Subject
from services.check.variable_hosts import UNKNOWN, host_of_variable, known_address
from shared.bot.errors import Finding
from shared.bot.hosts import fitting
from shared.bot.integration import MAIL, Integration
from shared.bot.manifest_credentials import OAuth
from shared.integration.addresses import may_reach, networks

_LOCAL = "localhost"


def check_calls(subject: Subject) -> Iterator[Finding]:
    """Check every integration."""
    for integration in subject.bot.integrations.values():
        place = f"{INTEGRATIONS} / {integration.name}"
        if integration.uncallable:
            yield found("unsupported-integration", place, f"{integration.uncallable}: its calls fail")
            continue
        finding = None if integration.kind == MAIL else _address(integration, place, subject)
        if finding is not None:
            yield finding
        if (
            integration.body is not None
            and integration.body.source.lstrip()[:1] in {"{", "["}
            and not is_json(integration.body)
        ):
            yield found("bad-body", place, "its body is not JSON, whatever its variables hold")
    yield from _hosts(subject)


def _address(integration: Integration, place: str, subject: Subject) -> Finding | None:
    """Check as much of an address as is known before a call: the manifest's variables are, others are not."""
    text = known_address(integration, subject)
    if not text:
        return found("bad-address", place, "it has no address")
    if text.startswith(UNKNOWN):
        return _decided_later(place, subject) or host_of_variable(integration, place, subject)
    scheme = text.partition(":")[0].lower()
    if UNKNOWN not in text.partition("://")[0] and (scheme not in {"http", "https"} or "://" not in text):
        return found("bad-address", place, "its address has to begin with http:// or https://")
    try:
        host = urlsplit(text).hostname or ""
    except ValueError:
        return found("bad-address", place, "its address has no valid host")
    if UNKNOWN in host:
        return host_of_variable(integration, place, subject) or _decided_later(place, subject)
    if not host:
        return found("bad-address", place, "its address has no host")
    return _listed(text.partition(UNKNOWN)[0], host, place, subject) or _egress(host, place, subject)


def _decided_later(place: str, subject: Subject) -> Finding | None:
    if subject.bot.egress.allow is None:
        return None
    return found("unknown-host", place, "its host is known when it is called: [egress] allow decides then")


def _listed(text: str, host: str, place: str, subject: Subject) -> Finding | None:
    """Check that the manifest's list has the host; `text` is the address as far as it is known."""
    try:
        allowed = subject.bot.egress.allows(text)
    except ValueError:
        return found("bad-address", place, "its address has no valid host and port")
    return None if allowed else found("host-not-allowed", place, f"{host} is not in the list of [egress] allow")


def _egress(host: str, place: str, subject: Subject) -> Finding | None:
    """Check an address that is a number or this machine; names are looked up when a call is made."""
    numbers = ("127.0.0.1", "::1") if host.lower() == _LOCAL or host.lower().endswith(f".{_LOCAL}") else (host,)
    allowed = networks(subject.bot.egress.private)
    try:
        refused = not any(may_reach(str(ipaddress.ip_address(number)), allowed) for number in numbers)
    except ValueError:
        return None
    if not refused:
        return None
    return found("refused-address", place, f"calls may not reach {host}: the manifest does not allow this range")


def _hosts(subject: Subject) -> Iterator[Finding]:
    """Name the hosts of the manifest that nothing calls; a host that a variable holds may be any of them."""
    called = [known_address(one, subject) for one in subject.bot.integrations.values() if not one.uncallable]
    called += [one.token_url for one in subject.bot.credentials.values() if isinstance(one, OAuth)]
    if any(UNKNOWN in address.partition("://")[2].partition("/")[0] or "://" not in address for address in called):
        return
    for name in subject.bot.hosts:
        if not any(_falls_under(name, address.partition(UNKNOWN)[0]) for address in called):
            yield found(
                "unused-host", f'manifest: hosts."{name}"', "no address names it: it limits redirects to it, if any"
            )


def _falls_under(name: str, address: str) -> bool:
    try:
        return fitting((name,), address) is not None
    except ValueError:
        return False
