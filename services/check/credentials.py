"""What credentials get wrong: nobody uses one, or a secret is not where it is said to be."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from services.check.codes import found
from services.check.subject import Subject
from services.settings import foreign_environment
from shared.bot.errors import Finding
from shared.bot.manifest_credentials import Secret, secrets_of
from shared.credentials.secrets import program_of, reference


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
            if not _there(secret, environment):
                yield found("missing-secret", f"{place}.{key}", f"{reference(secret)} is not there")


def _there(secret: Secret, environment: dict[str, str]) -> bool:
    if secret.env:
        return bool(environment.get(secret.env))
    if secret.file:
        return Path(secret.file).is_file()
    return shutil.which(program_of(secret)) is not None
