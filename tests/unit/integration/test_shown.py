"""What of a request may be seen: everything but secrets and sensitive values, whose places are marked and named."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.bot.egress import Proxy
from shared.bot.integration import Integration
from shared.bot.manifest_credentials import (
    AccessToken,
    ApiKey,
    Basic,
    ClientCredentials,
    Consumer,
    Credential,
    MutualTls,
    Secret,
)
from shared.bot.secret_names import MASK
from shared.integration.filling import InvalidRequest
from shared.integration.request import render_request
from shared.integration.shown import Shown, show_request
from tests.unit.integration.test_request import integration

CANARY = "cAnAry-93 &=\"'/"


def shown(of: Integration, values: Mapping[str, Any], *sensitive: str, added: Mapping[str, str] | None = None) -> Shown:
    request = render_request(of, values)
    request = msgspec.structs.replace(request, headers={**request.headers, **(added or {})})
    return show_request(of, values, request, is_sensitive=lambda name: name in sensitive)


def test_a_request_without_secrets_is_shown_as_it_is() -> None:
    of = integration(
        "https://api.example.com/{$botContext.id}",
        method="POST",
        headers={"X-A": "b"},
        body='{"a": "{$botContext.id}"}',
    )
    sent = shown(of, {"$botContext.id": "a b"}).sent()
    assert (sent.method, sent.address, sent.headers, sent.body) == (
        "POST",
        "https://api.example.com/a%20b",
        {"X-A": "b"},
        '{"a": "a b"}',
    )


def test_a_sensitive_variable_is_masked_wherever_it_stands() -> None:
    hole = "{$botContext.card}"
    of = integration(
        f"https://api.example.com/{hole}?c={hole}",
        method="POST",
        params={"p": hole},
        headers={"X-Card": f"no {hole}"},
        body=f'{{"card": "{hole}", "last": {hole}}}',
    )
    found = shown(of, {"$botContext.card": CANARY}, "card")
    sent = found.sent()
    assert sent.address == f"https://api.example.com/{MASK}?c={MASK}&p={MASK}"
    assert sent.headers == {"X-Card": f"no {MASK}"}
    assert sent.body == f'{{"card": "{MASK}", "last": "{MASK}"}}'
    assert found.names == ("CARD",)


def test_headers_parameters_and_fields_that_are_called_like_secrets_are_masked() -> None:
    of = integration(
        "https://api.example.com/x?api_key=s1&keyword=shoes&key=s2",
        method="POST",
        headers={"Authorization": "Bearer s3", "X-Api-Key": "s4", "X-Trace": "t"},
        body='{"client_secret": "s5", "key": "no secret", "pin": 7, "password": 8}',
    )
    found = shown(of, {})
    sent = found.sent()
    assert sent.address == f"https://api.example.com/x?api_key={MASK}&keyword=shoes&key={MASK}"
    assert sent.headers == {"Authorization": f"Bearer {MASK}", "X-Api-Key": MASK, "X-Trace": "t"}
    assert sent.body == f'{{"client_secret": "{MASK}", "key": "no secret", "pin": 7, "password": "{MASK}"}}'
    assert sorted(found.names) == [
        "ORDERS_API_KEY",
        "ORDERS_AUTHORIZATION",
        "ORDERS_CLIENT_SECRET",
        "ORDERS_KEY",
        "ORDERS_PASSWORD",
        "ORDERS_X_API_KEY",
    ]


def test_a_form_is_masked_pair_by_pair() -> None:
    of = integration(
        method="POST",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        body="user={$botContext.user}&password={$botContext.word}",
    )
    sent = shown(of, {"$botContext.user": "ann b", "$botContext.word": CANARY}).sent()
    assert sent.body == f"user=ann%20b&password={MASK}"


def test_what_the_request_has_besides_is_shown_too() -> None:
    sent = shown(integration("https://api.example.com/x"), {}, added={"Idempotency-Key": "7", "X-Token": "s1"}).sent()
    assert sent.headers == {"Idempotency-Key": "7", "X-Token": MASK}


ENV = Secret(env="crm_Secret")
TOKEN = ClientCredentials(token_url="https://id.example/t", client_id="c", client_secret=ENV)


@pytest.mark.parametrize(
    ("credential", "headers", "address", "options", "name"),
    [
        (
            Basic(username="ann", password=ENV),
            {"Authorization": f"Basic {MASK}"},
            "",
            [("--user", f"ann:{MASK}")],
            "crm_Secret",
        ),
        (AccessToken(token=ENV), {"Authorization": f"Bearer {MASK}"}, "", [], "crm_Secret"),
        (AccessToken(token=Secret(file="/t"), scheme="", header="X-T"), {"X-T": MASK}, "", [], "CRM_TOKEN"),
        (ApiKey(key=ENV, header="X-Key"), {"X-Key": MASK}, "", [], "crm_Secret"),
        (ApiKey(key=ENV, query="k"), {}, f"&k={MASK}", [], "crm_Secret"),
        (Consumer(), {"Authorization": f"Bearer {MASK}"}, "", [], "CIDP_ACCESS_TOKEN"),
        (TOKEN, {"Authorization": f"Bearer {MASK}"}, "", [], "CRM_ACCESS_TOKEN"),
        (
            MutualTls(
                certificate=Secret(file="/c.pem"), private_key=ENV, passphrase=ENV, authorities=Secret(file="/ca.pem")
            ),
            {},
            "",
            [("--cert", f"/c.pem:{MASK}"), ("--key", MASK), ("--cacert", "/ca.pem")],
            "crm_Secret",
        ),
        (MutualTls(pkcs12=Secret(file="/c.p12")), {}, "", [("--cert-type", "P12"), ("--cert", "/c.p12")], ""),
    ],
    ids=["basic", "token", "token in a file", "key", "key in the query", "consumer", "oauth", "certificate", "pkcs12"],
)
def test_a_credential_is_shown_by_the_names_of_its_secrets(
    credential: Credential, headers: dict[str, str], address: str, options: list[tuple[str, str]], name: str
) -> None:
    of = msgspec.structs.replace(integration("https://api.example.com/x?a=1"), credential="crm")
    found = show_request(of, {}, render_request(of, {}), credential=credential)
    sent = found.sent()
    assert (sent.headers, sent.address) == (headers, f"https://api.example.com/x?a=1{address}")
    assert [(option, found.masked(value)) for option, value in found.options] == options
    assert name in {*found.names, ""}


def test_a_certificate_that_goes_with_a_credential_is_shown_after_it() -> None:
    of = msgspec.structs.replace(integration("https://api.example.com/"), credential="crm")
    token = AccessToken(Secret(env="CRM_TOKEN"), mutual_tls="bank")
    bank = MutualTls(pkcs12=Secret(file="/c.p12"), passphrase=Secret(env="PHRASE"))
    seen = show_request(of, {}, render_request(of, {}), credential=token, certificate=bank)
    assert seen.names == ("CRM_TOKEN", "PHRASE")
    assert [seen.masked(value) for _, value in seen.options] == ["P12", f"/c.p12:{MASK}"]


def test_a_proxy_is_shown_with_the_names_of_its_secrets() -> None:
    of = integration("https://api.example.com/x")
    proxy = Proxy("http://proxy.example:3128", username="bot", password=ENV)
    found = show_request(of, {}, render_request(of, {}), proxy=proxy)
    told = [(option, found.masked(value)) for option, value in found.options]
    assert told == [("--proxy", "http://proxy.example:3128"), ("--proxy-user", f"bot:{MASK}")]
    assert found.names == ("crm_Secret",)


def test_credentials_in_the_address_are_masked() -> None:
    sent = shown(integration("https://ann:secret@api.example.com/x"), {}).sent()
    assert (sent.address, sent.headers) == ("https://api.example.com/x", {"Authorization": f"Basic {MASK}"})


def test_a_sensitive_variable_that_is_the_whole_address_hides_all_of_the_request() -> None:
    of = integration("{$botContext.where}")
    sent = shown(of, {"$botContext.where": "https://cAnAry.example/"}, "where").sent()
    assert (sent.address, sent.headers) == (MASK, {})


def test_who_gets_a_mail_is_masked_when_that_is_sensitive() -> None:
    hole = "{$botContext.email}"
    parts = {
        "from": "bot@example.com",
        "to": f"{hole}; desk@example.com",
        "subject": f"For {hole}",
        "body": f"Dear {hole}",
    }
    of = msgspec.structs.replace(
        integration("smtp://mail.example.com", method="POST", body=msgspec.json.encode(parts).decode()), kind="EMAIL"
    )
    sent = shown(of, {"$botContext.email": "ann@example.com"}, "email").sent()
    assert sent.address == "smtp://mail.example.com"
    assert (sent.headers["To"], sent.headers["Subject"]) == (f"{MASK}, desk@example.com", f"For {MASK}")
    assert sent.body == f"Dear {MASK}"


def test_a_long_body_is_cut_and_says_how_much_is_missing() -> None:
    of = integration(method="POST", body='{"a": "{$botContext.a}"}')
    sent = shown(of, {"$botContext.a": "x" * 20_000}).sent()
    assert (len(sent.body), sent.cut) == (16_384, 20_009 - 16_384)


def test_the_pieces_of_a_text_give_it_back_with_names_in_place_of_values() -> None:
    of = integration(headers={"Authorization": "Bearer {$botContext.accessToken}!"})
    found = shown(of, {"$botContext.accessToken": CANARY.split(maxsplit=1)[0]})
    text = found.request.headers["Authorization"]
    assert found.pieces(text) == [("Bearer ", ""), ("", "ACCESS_TOKEN"), ("!", "")]


def test_a_text_that_looks_like_a_mark_stays_as_it_is() -> None:
    of = integration("https://api.example.com/{$botContext.a}", headers={"X-A": "{$botContext.token}"})
    before = shown(of, {"$botContext.a": "a", "$botContext.token": CANARY})
    mark = before.request.headers["X-A"]
    after = shown(of, {"$botContext.a": mark, "$botContext.token": CANARY})
    assert after.pieces(after.request.url) == [(f"https://api.example.com/{mark}", "")]
    assert after.sent().address == f"https://api.example.com/{mark}"


def test_a_sensitive_variable_in_the_host_is_masked_and_named() -> None:
    of = integration("https://{$botContext.shop}.example.com/x")
    found = shown(of, {"$botContext.shop": "cAnAry"}, "shop")
    assert found.sent().address == f"https://{MASK}.example.com/x"
    assert found.pieces(found.request.url)[1] == ("", "SHOP")


@given(
    secret=st.text(min_size=6, max_size=20), place=st.sampled_from(["url", "query", "header", "json", "bare", "raw"])
)
def test_no_sensitive_value_is_ever_seen(secret: str, place: str) -> None:
    hole = "{$botContext.canary}"
    templates: dict[str, dict[str, Any]] = {
        "url": {"url": f"https://api.example.com/a/{hole}"},
        "query": {"params": {"q": hole}},
        "header": {"headers": {"X-Q": hole}},
        "json": {"method": "POST", "body": f'{{"q": "{hole}"}}'},
        "bare": {"method": "POST", "body": f'{{"q": {hole}}}'},
        "raw": {"method": "POST", "body": hole},
    }
    of = integration(**templates[place])
    values = {"$botContext.canary": f"zz{secret}zz"}
    try:
        sent = shown(of, values, "canary").sent()
    except InvalidRequest:
        return
    told = msgspec.json.encode(sent).decode()
    assert MASK in told
    assert (
        secret not in told
        or secret in msgspec.json.encode(shown(of, {"$botContext.canary": "-"}, "canary").sent()).decode()
    )
