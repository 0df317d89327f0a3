"""`[credentials.NAME]`: every type is read strictly, and what cannot be is refused with the key and the remedy."""

import pytest

from shared.bot.errors import BotError
from shared.bot.manifest import decode_manifest
from shared.bot.manifest_credentials import KINDS, Credential, Secret, kind_of, secrets_of
from shared.privacy.naming import Sensitive
from tests.unit.dialog.bots import bot, dialog, text

EXAMPLES = {
    "basic": 'username = "bot"\npassword = { env = "P" }',
    "access_token": 'token = { file = "/run/secrets/t" }',
    "api_key": 'key = { command = "vault read key" }\nheader = "X-Api-Key"',
    "oauth2_client_credentials": 'token_url = "https://a.example/t"\nclient_id = "bot"\nclient_secret = { env = "P" }',
    "oauth2_authorization_code": 'authorize_url = "https://a.example/c"\ntoken_url = "https://a.example/t"\nclient_id = "b"',
    "oauth2_jwt_bearer": 'token_url = "https://a.example/t"\nissuer = "bot"\nprivate_key = { file = "k.pem" }',
    "mutual_tls": 'pkcs12 = { file = "c.p12" }\npassphrase = { env = "P" }',
    "consumer": "",
}


def decoded(kind: str, more: str = "") -> Credential:
    return decode_manifest(f'[credentials.crm]\ntype = "{kind}"\n{EXAMPLES[kind]}\n{more}', "m").credentials["crm"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_type_is_read(kind: str) -> None:
    assert kind_of(decoded(kind)) == kind


def test_the_secrets_of_a_credential_are_listed_with_their_keys() -> None:
    credential = decoded("oauth2_client_credentials", '[credentials.crm.parameters]\napi_key = { env = "K" }')
    assert secrets_of(credential) == [("client_secret", Secret(env="P")), ("parameters.api_key", Secret(env="K"))]


REFUSED = [
    (
        "type = 'kerberos'",
        "credentials.crm.type: invalid value 'kerberos'. A credential has a type (basic, access_token,",
    ),
    ("password = { env = 'P' }", "credentials.crm: object missing required field 'type'"),
    (
        "type = 'basic'\nuser = 'x'\npassword = { env = 'P' }",
        "unknown field 'user'. The keys there are: username, password",
    ),
    (
        "type = 'basic'\nusername = 'x'\npassword = { end = 'P' }",
        "unknown field 'end'. The keys there are: env, file, command",
    ),
    (
        "type = 'basic'\nusername = 'x'\npassword = 'hush'",
        "credentials.crm.password: a secret stands in the manifest itself",
    ),
    ("type = 'basic'\nusername = 'x'\npassword = {}", "credentials.crm.password: a secret is one of"),
    ("type = 'api_key'\nkey = { env = 'K' }", "an API key stands in one of 'header' and 'query'"),
    ("type = 'api_key'\nkey = { env = 'K' }\nheader = 'Content-Length'", "'header' cannot be the name of a header"),
    ("type = 'access_token'\ntoken = { env = 'K' }\nscheme = \"a\\r\\nb\"", "'scheme' has a character"),
    ("type = 'mutual_tls'", "a client certificate is 'certificate' (with 'private_key'), or 'pkcs12'"),
    ("type = 'consumer'\nmutual_tls = 'crm'", "credentials.crm.mutual_tls: [credentials.crm] is no mutual_tls"),
    ("type = 'mutual_tls'\nmutual_tls = 'crm'", "unknown field 'mutual_tls'"),
    ("type = 'consumer'\nvariable = ' '", "'variable' is no name of a variable"),
]


@pytest.mark.parametrize(("table", "message"), REFUSED)
def test_what_cannot_be_is_refused_with_key_and_remedy(table: str, message: str) -> None:
    with pytest.raises(BotError) as raised:
        decode_manifest(f"[credentials.crm]\n{table}", "m")
    assert message in str(raised.value)
    assert "hush" not in str(raised.value)


@pytest.mark.parametrize(
    ("kind", "more", "message"),
    [
        ("oauth2_jwt_bearer", "algorithm = 'none'", "'algorithm' is none of RS256"),
        ("oauth2_jwt_bearer", "lifetime = 0", "'lifetime' must lie between 1 and 3600"),
        ("oauth2_client_credentials", "parameters = { scope = 'a' }", "'parameters' cannot give 'scope'"),
        ("oauth2_client_credentials", "parameters = { api_key = 'hush' }", "parameters.api_key: a secret stands"),
        ("oauth2_client_credentials", "client_auth = 'none'", "invalid enum value 'none'"),
    ],
)
def test_what_a_type_cannot_do_is_refused(kind: str, more: str, message: str) -> None:
    with pytest.raises(BotError) as raised:
        decoded(kind, more)
    assert message in str(raised.value)


@pytest.mark.parametrize("address", ["ftp://a.example/t", "https://u:hush@a.example/t", "https://", "a b", "http://[x"])
def test_a_token_end_point_is_an_address_without_user_and_password(address: str) -> None:
    with pytest.raises(BotError) as raised:
        decode_manifest(
            f"[credentials.crm]\ntype = 'oauth2_client_credentials'\ntoken_url = '{address}'\nclient_id = 'b'\n"
            "client_secret = { env = 'P' }",
            "m",
        )
    assert "'token_url' has to be an http or https address" in str(raised.value)
    assert "hush" not in str(raised.value)


def test_the_variable_with_a_consumers_token_is_sensitive_without_being_named() -> None:
    manifest = '[privacy]\nsensitive = ["card*"]\n[credentials.them]\ntype = "consumer"\nvariable = "a[1]*"'
    sensitive = Sensitive(bot(dialog("D", text("a")), manifest=manifest).sensitive)
    matched = [name for name in ("card1", "a[1]*", "a1", "a[1]b") if sensitive.matches(name)]
    assert matched == ["card1", "a[1]*"]
