"""What a credential puts on a call, as it may be shown: names in place of secrets, which nobody has to read for it."""

import re
from typing import Protocol

import msgspec

from shared.bot.egress import Proxy
from shared.bot.manifest_credentials import (
    AccessToken,
    ApiKey,
    AuthorizationCode,
    Basic,
    ClientCredentials,
    Consumer,
    Credential,
    JwtBearer,
    MutualTls,
    Secret,
)
from shared.integration.attachment import NOTHING, Attachment

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Mark(Protocol):
    """Gives the mark that stands for a name."""

    def __call__(self, name: str, *, exact: bool = False) -> str:
        """Return the mark; `exact` keeps the name as it is."""


class ShownCredential(msgspec.Struct, frozen=True):
    """What is attached, with marks for secrets; `options` are what curl takes instead, or besides."""

    attachment: Attachment = NOTHING
    options: tuple[tuple[str, str], ...] = ()


class _Secrets:
    """Gives marks for the secrets of a credential: by the variable a secret is in, else by credential and key."""

    def __init__(self, name: str, mark: Mark) -> None:
        self._name = name
        self._mark = mark

    def __call__(self, key: str, where: str | Secret | None) -> str:
        if isinstance(where, str):
            return where
        if where is not None and _VARIABLE.fullmatch(where.env):
            return self._mark(where.env, exact=True)
        return self._mark(f"{self._name}_{key}")


def show_credential(name: str, credential: Credential, mark: Mark) -> ShownCredential:
    """Return what a credential attaches; `mark` gives the mark that stands for a name."""
    secret = _Secrets(name, mark)
    match credential:
        case Basic():
            pair = f"{secret('username', credential.username)}:{secret('password', credential.password)}"
            header = Attachment({"Authorization": f"Basic {mark(f'{name}_basic')}"})
            return ShownCredential(header, (("--user", pair),))
        case AccessToken():
            return _header(credential.header, credential.scheme, secret("token", credential.token))
        case ApiKey():
            key = secret("key", credential.key)
            if credential.query:
                return ShownCredential(Attachment(query={credential.query: key}))
            return _header(credential.header, "", key)
        case Consumer():
            return _header(credential.header, credential.scheme, mark(credential.variable))
        case ClientCredentials() | AuthorizationCode() | JwtBearer():
            return _header("Authorization", "Bearer", mark(f"{name}_access_token"))
        case MutualTls():
            return ShownCredential(options=_certificate(credential, secret))


def show_proxy(proxy: Proxy, mark: Mark) -> tuple[tuple[str, str], ...]:
    """Return curl's options for a proxy."""
    secret = _Secrets("proxy", mark)
    if proxy.password is None:
        return (("--proxy", proxy.url),)
    user = f"{secret('username', proxy.username)}:{secret('password', proxy.password)}"
    return (("--proxy", proxy.url), ("--proxy-user", user))


def _header(name: str, scheme: str, token: str) -> ShownCredential:
    return ShownCredential(Attachment({name: f"{scheme} {token}" if scheme else token}))


def _certificate(credential: MutualTls, secret: _Secrets) -> tuple[tuple[str, str], ...]:
    """Return curl's options for a client certificate; they take files, whose paths are no secrets."""

    def file(key: str, where: Secret) -> str:
        return where.file or secret(f"{key}_file", Secret(command="a file has to be made of it"))

    phrase = f":{secret('passphrase', credential.passphrase)}" if credential.passphrase else ""
    if credential.pkcs12 is not None:
        return (("--cert-type", "P12"), ("--cert", f"{file('pkcs12', credential.pkcs12)}{phrase}"))
    options = []
    if credential.certificate is not None:
        options.append(("--cert", f"{file('certificate', credential.certificate)}{phrase}"))
    if credential.private_key is not None:
        options.append(("--key", file("private_key", credential.private_key)))
    if credential.authorities is not None:
        options.append(("--cacert", file("authorities", credential.authorities)))
    return tuple(options)
