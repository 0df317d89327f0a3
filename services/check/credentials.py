"""What credentials get wrong: nobody uses one, or a secret is not where it is said to be."""

import re
from collections.abc import Iterator

from services.check.codes import found
from services.check.panels import INTEGRATIONS
from services.check.subject import Subject
from services.check.variable_hosts import known_address
from services.settings import foreign_environment
from shared.bot.egress import Proxy
from shared.bot.errors import Finding
from shared.bot.manifest import Manifest
from shared.bot.manifest_credentials import OAuth, Secret, secrets_of
from shared.credentials.secrets import is_there, reference

_LOCAL = re.compile(r"(?:127\.[0-9.]+|localhost|\[::1\])(?:[:/?]|$)", re.IGNORECASE)


def check_credentials(subject: Subject) -> Iterator[Finding]:
    """Check the credentials of the manifest on this machine; no command is run and no value is shown."""
    manifest = subject.manifest
    used = {manifest.email.credential, *(part.credential for part in manifest.integrations.values())}
    used |= {getattr(manifest.credentials[name], "mutual_tls", "") for name in used if name}
    for name in manifest.credentials:
        if name not in used:
            yield found("unused-credential", f"manifest: credentials.{name}", "no integration uses it")
    yield from _open(subject, used)
    environment = foreign_environment()
    for place, secret in _secrets(manifest, used):
        if not is_there(secret, environment):
            yield found("missing-secret", f"manifest: {place}", f"{reference(secret)} is not there")


def _open(subject: Subject, used: set[str]) -> Iterator[Finding]:
    """Yield where secrets leave the machine unencrypted."""
    addresses = [
        (f"{INTEGRATIONS} / {integration.name}", known_address(integration, subject))
        for integration in subject.bot.integrations.values()
        if integration.credential
    ]
    for name, credential in subject.manifest.credentials.items():
        if name in used and isinstance(credential, OAuth):
            addresses.append((f"manifest: credentials.{name}.token_url", credential.token_url))
    for place, address in addresses:
        scheme, _, rest = address.partition("://")
        if scheme.lower() == "http" and not _LOCAL.match(rest):
            yield found("open-credential", place, "a secret goes over plain http")


def _secrets(manifest: Manifest, used: set[str]) -> Iterator[tuple[str, Secret]]:
    """Yield the secrets that calls need, with their places: of credentials in use, and of proxies."""
    for name, credential in manifest.credentials.items():
        if name in used:
            yield from ((f"credentials.{name}.{key}", secret) for key, secret in secrets_of(credential))
    for host, part in manifest.hosts.items():
        if isinstance(part.proxy, Proxy):
            given = {"username": part.proxy.username, "password": part.proxy.password}
            yield from ((f"hosts.{host}.proxy.{key}", one) for key, one in given.items() if isinstance(one, Secret))
