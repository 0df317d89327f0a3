"""Every key of `[credentials.NAME]`, by type, as a person reads it: a part of docs/manifest.md."""

import inspect
from typing import Any

import msgspec

from shared.bot.manifest_credentials import KINDS

ABOUT: dict[str, str] = {
    "username": "The user: text, or where it is.",
    "password": "Where the password is.",
    "token": "Where the token is.",
    "scheme": "What stands before the token; empty for nothing.",
    "header": "The header it stands in.",
    "key": "Where the key is.",
    "query": "The query parameter it stands in.",
    "token_url": "The token end-point.",
    "authorize_url": "The consent page.",
    "client_id": "The client's id: text, or where it is.",
    "client_secret": "Where the client's secret is.",
    "scope": "The scopes to ask for, separated by spaces.",
    "client_auth": "How the client proves who it is to the token end-point: `basic` (a header) or `post` (the body).",
    "parameters": "What else the token end-point wants, such as `audience`: texts, or where they are.",
    "authorize_parameters": "What else the consent page wants, such as `access_type`.",
    "issuer": "Who says it (`iss`): text, or where it is.",
    "private_key": "Where the key is (PEM, JWK; for `HS…` the shared secret).",
    "subject": "For whom (`sub`).",
    "audience": "To whom (`aud`); without it the token end-point.",
    "algorithm": "How it is signed, such as `RS256` or `ES256`.",
    "key_id": "The key's name (`kid`).",
    "lifetime": "Seconds that the statement is good for, up to 3600.",
    "claims": "What else it says.",
    "certificate": "Where the certificate is, with its chain (PEM); it may hold the key too.",
    "pkcs12": "Where the PKCS#12 file is (`.p12`, `.pfx`); base64 from a variable or a command.",
    "passphrase": "Where the passphrase of the key or of the PKCS#12 file is.",
    "authorities": "Where the certificates (PEM) are that the server's is checked against, in place of the system's.",
    "mutual_tls": "A credential of type `mutual_tls` whose certificate is shown too, to token end-points as well.",
    "sign_in_url": "The page to sign in at, with its whole query: what `{$botContext.external_auth_url}` reads.",
    "variable": "The variable of the conversation that holds the consumer's token.",
}


def sections() -> list[str]:
    """Return the lines of the document, a table for each type."""
    lines: list[str] = []
    for name, kind in KINDS.items():
        lines += [f'### `type = "{name}"`', "", inspect.cleandoc(kind.__doc__ or ""), ""]
        lines += ["| key | what it is for | default |", "|---|---|---|"]
        fields = msgspec.structs.fields(kind)
        lines += [f"| `{field.name}` | {about(kind, field.name)} | {_default(field)} |" for field in fields]
        lines.append("")
    return lines


def about(kind: type[msgspec.Struct], key: str) -> str:
    """Return what a key is for: of a certificate, the key is PEM."""
    if key == "private_key" and "certificate" in kind.__struct_fields__:
        return "Where its key is (PEM)."
    return ABOUT[key]


def _default(field: msgspec.structs.FieldInfo) -> str:
    default: Any = field.default
    if field.required:
        return "must be given"
    if field.default_factory is not msgspec.NODEFAULT or default in ("", None):
        return "none"
    return f"`{msgspec.json.encode(default).decode()}`"
