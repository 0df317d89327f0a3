"""A bot whose every credential is a canary: distinctive texts that may appear in one place only, a request."""

import base64
import json
from pathlib import Path
from typing import Any, NamedTuple

from tests.services.integration_worker.authority import PASSPHRASE
from tests.unit.dialog.bots import Part, call, dialog, export, integration, starter, text

CANARIES = {
    name: f"CANARY{name.replace('_', '')}0123456789"
    for name in (
        *("password", "static_token", "header_key", "query_key", "client_secret", "issued_token", "refused_secret"),
        *("photos_secret", "photos_token", "photos_refresh", "photos_code", "private_key", "jwt_token", "passphrase"),
        *("busy_secret", "parameter", "consumer_token", "smtp_password", "proxy_password"),
    )
} | {"locked_phrase": PASSPHRASE}
BASIC = base64.b64encode(f"bot:{CANARIES['password']}".encode()).decode()
SMTP_PLAIN = base64.b64encode(f"\0bot\0{CANARIES['smtp_password']}".encode()).decode()
PROXY_BASIC = base64.b64encode(f"bot:{CANARIES['proxy_password']}".encode()).decode()

ATTACHED = ("basic", "static", "header", "query", "client", "photos", "jwt", "consumer")
"""Credentials that reach the API; those below never do."""
UNATTACHED = ("refused", "busy", "bank", "missing", "own")
BEHAVIOURS = ("ok", "denied", "failing", "slow", "dropping", "echo", "away")
ELSEWHERE = (
    ("proxied", "ok"),
    ("proxied", "echo"),
    ("proxied", "failing"),
    ("locked", "ok"),
    ("mail", "ok"),
    ("mail", "again"),
)
"""Calls that go through a proxy, to a server that wants a certificate, and to a mail server."""
PROXIED = "http://shop.invalid"

MANIFEST = """
[egress]
private = ["127.0.0.0/8"]
[credentials.basic]
type = "basic"
username = "bot"
password = {{ env = "CANARY_PASSWORD" }}
[credentials.static]
type = "access_token"
token = {{ file = "{folder}/static_token" }}
[credentials.header]
type = "api_key"
key = {{ env = "CANARY_HEADER_KEY" }}
header = "X-Shop"
[credentials.query]
type = "api_key"
key = {{ command = "printenv CANARY_QUERY_KEY" }}
query = "id"
[credentials.client]
type = "oauth2_client_credentials"
token_url = "{tokens}/issuing"
client_id = "bot"
client_secret = {{ env = "CANARY_CLIENT_SECRET" }}
parameters = {{ hint = {{ env = "CANARY_PARAMETER" }} }}
[credentials.refused]
type = "oauth2_client_credentials"
token_url = "{tokens}/repeating"
client_id = "bot"
client_secret = {{ env = "CANARY_REFUSED_SECRET" }}
client_auth = "post"
[credentials.busy]
type = "oauth2_client_credentials"
token_url = "{tokens}/busy"
client_id = "bot"
client_secret = {{ env = "CANARY_BUSY_SECRET" }}
[credentials.photos]
type = "oauth2_authorization_code"
authorize_url = "{tokens}/consent"
token_url = "{tokens}/photos"
client_id = "bot"
client_secret = {{ env = "CANARY_PHOTOS_SECRET" }}
[credentials.jwt]
type = "oauth2_jwt_bearer"
token_url = "{tokens}/jwt"
issuer = "bot"
algorithm = "HS256"
private_key = {{ env = "CANARY_PRIVATE_KEY" }}
[credentials.bank]
type = "mutual_tls"
pkcs12 = {{ file = "{folder}/static_token" }}
passphrase = {{ env = "CANARY_PASSPHRASE" }}
[credentials.missing]
type = "basic"
username = "bot"
password = {{ command = "false" }}
[credentials.consumer]
type = "consumer"
[credentials.proxied]
type = "access_token"
token = {{ file = "{folder}/static_token" }}
[hosts."shop.invalid"]
proxy = {{ url = "{proxy}", username = "bot", password = {{ env = "CANARY_PROXY_PASSWORD" }} }}
[credentials.locked]
type = "mutual_tls"
certificate = {{ file = "{folder}/client.pem" }}
private_key = {{ file = "{folder}/client.locked.key" }}
passphrase = {{ env = "CANARY_LOCKED_PHRASE" }}
authorities = {{ file = "{folder}/authority.pem" }}
[credentials.own]
type = "access_token"
token = {{ file = "{folder}/.botlane/secret" }}
[credentials.mail]
type = "basic"
username = "bot"
password = {{ env = "CANARY_SMTP_PASSWORD" }}
[email]
smtp = "{mail}"
sender = "Bot <bot@example.com>"
credential = "mail"
"""
MAIL = {"from": "", "to": "ann@example.com", "subject": "Order", "body": "Thank you"}


class Places(NamedTuple):
    """Where the bot calls: addresses of the API, its token end-points, a server with TLS, a proxy and a mail server."""

    api: str
    tokens: str
    secure: str
    proxy: str
    mail: str


def calls() -> list[tuple[str, str]]:
    """List the integrations: what each proves itself with, and how the API behaves to it."""
    attached = [(name, behaviour) for name in ATTACHED for behaviour in BEHAVIOURS]
    return [*attached, *((name, "ok") for name in UNATTACHED), *ELSEWHERE]


def write_bot(folder: Path, places: Places) -> Path:
    """Write export, manifest and the file with a secret; each integration has a dialog that starts with its name.

    `close` calls a slow one and closes the conversation.
    """
    slow = [starter("close"), call("call before closing", "consumer-slow"), text("closed", then="close_conversation")]
    parts: list[Part] = [dialog("closing", *slow)]
    integrations: list[Part] = []
    manifest = MANIFEST.format(folder=folder, **places._asdict())
    roots = {"proxied": PROXIED, "locked": places.secure}
    for name, behaviour in calls():
        called = f"{name}-{behaviour}"
        more: dict[str, Any] = {"method": "POST", "postBody": "{}", "fields": {"sent": f"api_{called}.sent"}}
        if name == "mail":
            more = {"integrationType": "EMAIL", "postBody": json.dumps(MAIL)}
        integrations.append(integration(called, f"{roots.get(name, places.api)}/{behaviour}/{name}", **more))
        said = text(f"say {called}", f"ended {called}: {{{called}.sent}}", "end")
        parts.append(dialog(called, starter(f"go {called}"), call(f"call {called}", called), said))
        own = "" if name == "mail" else f'credential = "{name}"\n'
        manifest += f"[integrations.{called}]\n{own}retries = 0\nattempt_timeout = 1.0\n"
    bot = folder / "canaries.json"
    bot.write_text(json.dumps(export(*parts, integrations=tuple(integrations))))
    bot.with_suffix(".botlane.toml").write_text(manifest)
    (folder / "static_token").write_text(CANARIES["static_token"])
    return bot


def environment() -> dict[str, str]:
    """Return the variables that the manifest names."""
    return {f"CANARY_{name.upper()}": value for name, value in CANARIES.items()}
