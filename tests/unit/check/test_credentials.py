"""`botlane check` on credentials: which secret is missing on this machine, and never what one is."""

from pathlib import Path

import pytest

from tests.unit.check.findings import report
from tests.unit.dialog.bots import dialog, integration, text

HUSH = "a-secret-that-nobody-sees"
MANIFEST = """
[integrations.Store]
credential = "crm"
[credentials.crm]
type = "oauth2_client_credentials"
token_url = "https://login.example.com/token"
client_id = {{ {client_id} }}
client_secret = {{ {client_secret} }}
[credentials.crm.parameters]
api_key = {{ {api_key} }}
"""


def notes(client_id: str, client_secret: str, api_key: str) -> list[str]:
    manifest = MANIFEST.format(client_id=client_id, client_secret=client_secret, api_key=api_key)
    found = report(dialog("D", text("a")), integrations=(integration("Store"),), manifest=manifest)
    assert HUSH not in str(found)
    return [f"{one.place}: {one.note}" for one in found.findings if one.code == "missing-secret"]


def test_secrets_that_are_not_here_are_named_by_their_references() -> None:
    assert notes('env = "NOT_SET"', 'file = "/nowhere/secret"', 'command = "no-such-vault read --token hush"') == [
        "manifest: credentials.crm.client_id: the environment variable NOT_SET is not there",
        "manifest: credentials.crm.client_secret: the file /nowhere/secret is not there",
        "manifest: credentials.crm.parameters.api_key: the command no-such-vault is not there",
    ]


def test_secrets_that_are_here_are_no_finding(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CRM_ID", HUSH)
    (tmp_path / "secret").write_text(HUSH)
    assert notes('env = "CRM_ID"', f'file = "{tmp_path}/secret"', f'command = "echo {HUSH}"') == []


def test_our_own_secrets_are_nothing_a_manifest_may_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOTLANE_SECRET", HUSH)
    assert len(notes('env = "BOTLANE_SECRET"', 'command = "echo"', 'command = "echo"')) == 1


def test_what_signing_in_brings_is_set_by_nobody_in_the_bot_and_no_finding() -> None:
    told = dialog("D", text("a", "{$botContext.external_auth_url} {$botContext.cidp_accessToken}"))
    consumer = '[credentials.them]\ntype = "consumer"\nsign_in_url = "https://login.example.com/"'
    unset = [
        [one.note for one in report(told, manifest=with_).findings if one.code == "unset-variable"]
        for with_ in ("", consumer)
    ]
    assert [len(notes) for notes in unset] == [1, 0]
    assert "external_auth_url" in unset[0][0]


def test_credentials_that_others_use_are_used_and_checked() -> None:
    manifest = """
        [integrations.Store]
        credential = "crm"
        [credentials.crm]
        type = "consumer"
        mutual_tls = "bank"
        [credentials.bank]
        type = "mutual_tls"
        pkcs12 = { file = "/nowhere/bank.p12" }
        [hosts."api.example.com"]
        proxy = { url = "http://proxy.example.com:3128", username = "bot", password = { env = "NOT_SET" } }
    """
    found = report(dialog("D", text("a")), integrations=(integration("Store"),), manifest=manifest).findings
    assert [(one.code, one.place) for one in found if "manifest" in one.place] == [
        ("missing-secret", "manifest: credentials.bank.pkcs12"),
        ("missing-secret", "manifest: hosts.api.example.com.proxy.password"),
    ]


def test_secrets_over_plain_http_are_named_unless_they_stay_on_the_machine() -> None:
    manifest = """
        [environment]
        shop = "http://shop.example"
        [integrations.Store]
        credential = "crm"
        [integrations.Here]
        credential = "crm"
        [credentials.crm]
        type = "oauth2_client_credentials"
        token_url = "HTTP://login.example.com/token"
        client_id = "bot"
        client_secret = { command = "echo" }
    """
    integrations = (integration("Store", "{$env.shop}/{$userMessage}"), integration("Here", "http://localhost:8080/"))
    found = report(dialog("D", text("a")), integrations=integrations, manifest=manifest).findings
    assert [one.place for one in found if one.code == "open-credential"] == [
        "Integrations / Store",
        "manifest: credentials.crm.token_url",
    ]
