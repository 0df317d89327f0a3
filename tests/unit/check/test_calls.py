"""What is found in integrations."""

import pytest

from tests.unit.check.findings import Found, found, found_of
from tests.unit.dialog.bots import Part, call, dialog, integration, starter


def of_integration(made: Part, manifest: str = "") -> Found:
    return found(dialog("Shop", starter("hi"), call("find", "Store")), integrations=(made,), manifest=manifest)


def of_address(url: str, manifest: str = "") -> list[str]:
    return [
        code for code, place in of_integration(integration("Store", url), manifest) if place == "Integrations / Store"
    ]


@pytest.mark.parametrize("kind", ["KNOWLEDGE_BASE", "LP_FUNCTIONS", "EMAIL"])
def test_an_integration_that_cannot_be_called_yet_is_an_error(kind: str) -> None:
    assert of_integration(integration("Store", integrationType=kind)) == [
        ("unsupported-integration", "Integrations / Store")
    ]


def test_a_mail_needs_a_mail_server() -> None:
    mail = integration("Store", integrationType="EMAIL", postBody='{"to": "{$userMessage}"}')
    assert of_integration(mail) == [("unsupported-integration", "Integrations / Store")]
    assert of_integration(mail, '[email]\nsmtp = "smtp://127.0.0.1:2525"') == []


@pytest.mark.parametrize("url", ["", "ftp://example.com", "api.example.com/x", "https:///x", "https://[::1"])
def test_an_address_that_cannot_be_called_is_an_error(url: str) -> None:
    assert of_address(url) == ["bad-address"]


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com/{$botContext.api_StoreStatus}",
        "https://{$botContext.api_StoreStatus}.example.com",
        "https://api.example.com:{$botContext.api_StoreStatus}/",
        "{$env.store}/x",
        "http://8.8.8.8/",
    ],
)
def test_addresses_that_are_good_or_not_known_yet_are_not_named(url: str) -> None:
    assert [code for code in of_address(url) if code != "missing-environment-variable"] == []


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("{$botContext.api_StoreStatus}", "variable-host"),
        ("{$botContext.api_StoreStatus}/x", "variable-host"),
        ("https://{$botContext.api_StoreStatus}", "variable-host"),
        ("https://{$botContext.api_StoreStatus}:8443/x", "variable-host"),
        ("https://api.example.com{$botContext.api_StoreStatus}", "variable-ends-host"),
        ("{$env.base}{$botContext.api_StoreStatus}", "variable-ends-host"),
        ("https://api.{$botContext.api_StoreStatus}/x", "variable-ends-host"),
        ("https://api.{$env.end}/x", None),
    ],
)
def test_a_variable_that_makes_a_host_or_stands_at_its_end_is_named(url: str, code: str | None) -> None:
    manifest = '[environment]\nbase = "https://api.example.com"\nend = "example.com"\n'
    said = [one for one in of_address(url, manifest) if one != "unused-environment-variable"]
    assert said == ([code] if code else [])


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1/", "http://localhost:9000/x", "http://10.1.2.3", "http://[::1]:80/", "http://169.254.169.254/"],
)
def test_an_inner_address_that_the_manifest_does_not_allow_is_an_error(url: str) -> None:
    assert of_address(url) == ["refused-address"]


def test_an_inner_address_may_be_allowed() -> None:
    assert of_address("http://10.1.2.3/", '[egress]\nprivate = ["10.0.0.0/8"]') == []
    assert of_address("http://localhost/", '[egress]\nprivate = ["127.0.0.0/8"]') == []


def test_environment_variables_of_the_manifest_are_known_in_addresses() -> None:
    manifest = '[environment]\nstore = "http://192.168.1.1"\nword = "ftp"'
    assert of_address("{$env.store}/x", manifest) == ["refused-address"]
    assert of_address("{$env.word}://example.com", manifest) == ["bad-address"]


def test_a_body_that_can_never_be_json_is_named() -> None:
    bad = integration("Store", method="POST", postBody='{"a": "{$userMessage}",, "b": {$userMessage}}')
    assert of_integration(bad) == [("bad-body", "Integrations / Store")]


@pytest.mark.parametrize("body", ['{"a": "{$userMessage}", "b": {$userMessage}}', "a={$userMessage}", ""])
def test_bodies_that_may_be_json_or_are_something_else_are_not_named(body: str) -> None:
    assert of_integration(integration("Store", method="POST", postBody=body)) == []


def test_credentials_are_compared_with_what_integrations_name() -> None:
    manifest = '[integrations.Store]\ncredential = "crm"\n[credentials.crm]\ntype = "consumer"\n[credentials.other]\ntype = "consumer"'
    shop = dialog("Shop", starter("hi"), call("find", "Store"))
    assert found_of("unused-credential", shop, integrations=(integration("Store"),), manifest=manifest) == [
        "manifest: credentials.other"
    ]


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://api.example.com/{$botContext.api_StoreStatus}", []),
        ("https://a.example.org:8443/x", []),
        ("{$env.store}/x", []),
        ("https://example.org/x", ["host-not-allowed"]),
        ("https://elsewhere.example.com", ["host-not-allowed"]),
        ("{$botContext.api_StoreStatus}/x", ["unknown-host"]),
        ("https://{$botContext.api_StoreStatus}.example.org", ["unknown-host"]),
        ("https://api.example.com:99999/", ["bad-address"]),
    ],
)
def test_hosts_are_compared_with_the_list_of_the_manifest(url: str, found: list[str]) -> None:
    listed = '[environment]\nstore = "https://api.example.com"\n[egress]\nallow = ["api.example.com", "*.example.org"]'
    assert [code for code in of_address(url, listed) if code != "unused-environment-variable"] == found


def test_limits_of_a_host_that_nothing_calls_are_named() -> None:
    limits = '[hosts."api.example.com"]\nrate = "1/s"\n[hosts."*.example.org"]\nconcurrency = 1\n[hosts."x.example"]\n'
    shop = dialog("Shop", starter("hi"), call("find", "Store"))

    def unused(url: str) -> list[str]:
        return found_of("unused-host", shop, integrations=(integration("Store", url),), manifest=limits)

    assert unused("https://api.example.com/{$botContext.x}") == ['manifest: hosts."*.example.org"']
    assert unused("https://a.example.org") == ['manifest: hosts."api.example.com"']
    assert unused("https://{$botContext.x}.example.net/") == []
    assert unused("{$botContext.x}/y") == []
    assert len(unused("https://[::1")) == 2


def test_hosts_of_token_end_points_and_mail_servers_are_called() -> None:
    limits = '[hosts."login.example.com"]\nrate = "1/s"\n[hosts."mail.example.com"]\nconcurrency = 1\n'
    manifest = (
        '[credentials.crm]\ntype = "oauth2_client_credentials"\ntoken_url = "https://login.example.com/token"\n'
        'client_id = "bot"\nclient_secret = { env = "X" }\n[integrations.Store]\ncredential = "crm"\n'
        f'[email]\nsmtp = "smtp://mail.example.com"\n{limits}'
    )
    made = integration("Store"), integration("Mail", integrationType="EMAIL", postBody='{"to": "{$userMessage}"}')
    shop = dialog("Shop", starter("hi"), call("find", "Store"), call("mail", "Mail"))
    assert found_of("unused-host", shop, integrations=made, manifest=manifest) == []
