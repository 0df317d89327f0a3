"""No object that holds a secret or a token shows it: reprs end up in tracebacks and messages."""

from typing import Any

import pytest

from services.integration_worker.credentials import NoProof, Proof
from shared.bot.manifest_credentials import AccessToken, Secret
from shared.credentials.consents import Consent
from shared.credentials.issued import Issued
from shared.credentials.secrets import SecretReader, reference
from shared.credentials.token_store import Found, Kept
from shared.integration.attachment import Attached, Attachment
from shared.privacy.sealing import Sealer

HUSH = "canary-0123456789"
ATTACHMENT = Attachment({"Authorization": f"Bearer {HUSH}"}, {"key": HUSH}, hidden=(HUSH,))


@pytest.mark.parametrize(
    "holder",
    [
        ATTACHMENT,
        Attached(ATTACHMENT, "https://api.example.com"),
        Proof(ATTACHMENT, "crm", AccessToken(Secret(env="T")), Kept(HUSH, "1")),
        Found(Kept(HUSH, "1")),
        Issued(HUSH, 60, HUSH),
        Consent("bot", "version", "crm", "https://bots.example.com", HUSH, HUSH),
        SecretReader({"T": HUSH}, commands=False),
        Sealer((HUSH,), "tokens"),
    ],
    ids=lambda holder: type(holder).__name__,
)
def test_what_holds_a_secret_does_not_show_it(holder: Any) -> None:
    assert HUSH not in f"{holder!r} {holder!s}"


def test_a_command_is_named_by_its_program_alone() -> None:
    secret = Secret(command=f"vault read --token {HUSH}")
    assert reference(secret) == "the command vault"
    assert HUSH not in str(NoProof("crm", reference(secret)).answer)
