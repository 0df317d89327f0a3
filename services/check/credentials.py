"""What credentials get wrong: nobody uses one, or a secret is not where it is said to be."""

from collections.abc import Iterator

from services.check.codes import found
from services.check.subject import Subject
from services.settings import foreign_environment
from shared.bot.errors import Finding
from shared.bot.manifest_credentials import secrets_of
from shared.credentials.secrets import is_there, reference


def check_credentials(subject: Subject) -> Iterator[Finding]:
    """Check the credentials of the manifest on this machine; no command is run and no value is shown."""
    used = {part.credential for part in subject.manifest.integrations.values()}
    environment = foreign_environment()
    for name, credential in subject.manifest.credentials.items():
        place = f"manifest: credentials.{name}"
        if name not in used:
            yield found("unused-credential", place, "no integration uses it")
            continue
        for key, secret in secrets_of(credential):
            if not is_there(secret, environment):
                yield found("missing-secret", f"{place}.{key}", f"{reference(secret)} is not there")
