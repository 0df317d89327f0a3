"""No object that holds a secret or a token shows it: reprs end up in tracebacks and messages."""

from typing import Any, cast

import pytest

from services.integration_worker.credentials import NoProof, Proof
from services.integration_worker.exchange import Wanted
from services.settings import Settings
from shared.bot.integration import Integration
from shared.bot.manifest_credentials import AccessToken, Secret
from shared.bot.model import Bot
from shared.bot.templates import compile_template
from shared.credentials.consents import Consent
from shared.credentials.issued import Issued
from shared.credentials.secrets import SecretReader, reference
from shared.credentials.token_store import Found, Kept
from shared.integration.attachment import Attached, Attachment
from shared.integration.client import Answer
from shared.integration.policy import Ending
from shared.integration.request import Request
from shared.integration.ways import Via
from shared.privacy.sealing import Sealer

HUSH = "canary-0123456789"
REQUEST = Request("POST", f"https://ann:{HUSH}@api.example.com/?key={HUSH}", {"X-Key": HUSH}, HUSH.encode())
INTEGRATION = Integration("It", "It", "API", "It", "POST", compile_template("https://api.example.com"))
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
        Via("http://proxy.example.com", f"Basic {HUSH}"),
        REQUEST,
        Wanted(REQUEST, cast("Bot", None), INTEGRATION, {"$botContext.cidp_accessToken": HUSH}),
        Answer(Ending(200), {"X-Token": HUSH}, HUSH),
        Settings(secrets=(HUSH,), channel_keys={"web": HUSH}, console_token=HUSH, redis_url=f"redis://:{HUSH}@h"),
    ],
    ids=lambda holder: type(holder).__name__,
)
def test_what_holds_a_secret_does_not_show_it(holder: Any) -> None:
    assert HUSH not in f"{holder!r} {holder!s}"


def test_a_command_is_named_by_its_program_alone() -> None:
    secret = Secret(command=f"vault read --token {HUSH}")
    assert reference(secret) == "the command vault"
    assert HUSH not in str(NoProof("crm", reference(secret)).answer)
