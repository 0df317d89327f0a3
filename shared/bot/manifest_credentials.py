"""`[credentials.NAME]` of the manifest: how calls prove who they are (CB: reference/dialogs.md 4.5).

A secret never stands here, since a manifest is stored as it is: a `Secret` says where it is.
"""

import re
from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlsplit

import msgspec

SECRET_NAME = re.compile(r"(?:secret|password|passphrase|token|key)$", re.IGNORECASE)
ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "HS256",
    "HS384",
    "HS512",
)
LONGEST_ASSERTION = 3600

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FRAME = frozenset(
    {"connection", "content-length", "content-type", "expect", "host", "te", "trailer", "transfer-encoding", "upgrade"}
)
_WHERE = ("env", "file", "command")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Secret(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where a secret is: a variable of the integration worker's environment, a file, or what a command prints."""

    env: str = ""
    file: str = ""
    command: str = ""

    def __post_init__(self) -> None:
        if sum(map(bool, (self.env, self.file, self.command))) != 1:
            raise ValueError('a secret is one of { env = "…" }, { file = "…" } and { command = "…" }')


class _Credential(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type"):
    """Every kind of credential: unknown keys are refused."""


class _InRequest(_Credential, frozen=True, kw_only=True):
    """What stands in a request may be shown together with a client certificate: `mutual_tls` names its credential."""

    mutual_tls: str = ""


class Basic(_InRequest, frozen=True, tag="basic"):
    """User and password, as `Authorization: Basic …`."""

    username: str | Secret
    password: Secret


class AccessToken(_InRequest, frozen=True, tag="access_token"):
    """A token that somebody has issued, as `Authorization: Bearer …` or in a header and with a scheme of its own."""

    token: Secret
    scheme: str = "Bearer"
    header: str = "Authorization"

    def __post_init__(self) -> None:
        _check_header(self.header, self.scheme)


class ApiKey(_InRequest, frozen=True, tag="api_key"):
    """A key in a header, or in the query of the address."""

    key: Secret
    header: str = ""
    query: str = ""

    def __post_init__(self) -> None:
        if bool(self.header) == bool(self.query):
            raise ValueError("an API key stands in one of 'header' and 'query'")
        if self.header:
            _check_header(self.header)


class ClientCredentials(_InRequest, frozen=True, tag="oauth2_client_credentials"):
    """OAuth 2, client credentials: a token for the bot itself, asked for when it is needed."""

    token_url: str
    client_id: str | Secret
    client_secret: Secret
    scope: str = ""
    client_auth: Literal["basic", "post"] = "basic"
    parameters: dict[str, str | Secret] = {}

    def __post_init__(self) -> None:
        _check_address("token_url", self.token_url)
        _check_parameters("parameters", self.parameters)


class AuthorizationCode(_InRequest, frozen=True, tag="oauth2_authorization_code"):
    """OAuth 2, authorization code: somebody consents once (`botlane credentials authorize`), then it is refreshed."""

    authorize_url: str
    token_url: str
    client_id: str | Secret
    client_secret: Secret | None = None
    scope: str = ""
    client_auth: Literal["basic", "post"] = "basic"
    authorize_parameters: dict[str, str] = {}
    parameters: dict[str, str | Secret] = {}

    def __post_init__(self) -> None:
        _check_address("authorize_url", self.authorize_url)
        _check_address("token_url", self.token_url)
        _check_parameters("authorize_parameters", self.authorize_parameters)
        _check_parameters("parameters", self.parameters)


class JwtBearer(_InRequest, frozen=True, tag="oauth2_jwt_bearer"):
    """OAuth 2, JWT bearer (RFC 7523): a signed statement is exchanged for a token."""

    token_url: str
    issuer: str | Secret
    private_key: Secret
    subject: str = ""
    audience: str = ""
    algorithm: str = "RS256"
    key_id: str = ""
    scope: str = ""
    lifetime: int = 300
    claims: dict[str, str | int | float | bool] = {}
    parameters: dict[str, str | Secret] = {}

    def __post_init__(self) -> None:
        _check_address("token_url", self.token_url)
        _check_parameters("parameters", self.parameters)
        if self.algorithm not in ALGORITHMS:
            raise ValueError(f"'algorithm' is none of {', '.join(ALGORITHMS)}")
        if not 0 < self.lifetime <= LONGEST_ASSERTION:
            raise ValueError(f"'lifetime' must lie between 1 and {LONGEST_ASSERTION} seconds")


class MutualTls(_Credential, frozen=True, tag="mutual_tls"):
    """A client certificate: `certificate` and `private_key` as PEM, or both in a PKCS#12 file.

    `authorities` are the certificates (PEM) that the server's is checked against instead of the system's.
    """

    certificate: Secret | None = None
    private_key: Secret | None = None
    pkcs12: Secret | None = None
    passphrase: Secret | None = None
    authorities: Secret | None = None

    def __post_init__(self) -> None:
        if (self.pkcs12 is None) == (self.certificate is None) or (self.private_key and self.pkcs12):
            raise ValueError("a client certificate is 'certificate' (with 'private_key'), or 'pkcs12'")


class Consumer(_InRequest, frozen=True, tag="consumer"):
    """The consumer's own token, which a form has put into a variable of the conversation."""

    variable: str = "cidp_accessToken"
    scheme: str = "Bearer"
    header: str = "Authorization"
    sign_in_url: str = ""

    def __post_init__(self) -> None:
        _check_header(self.header, self.scheme)
        if self.sign_in_url:
            _check_address("sign_in_url", self.sign_in_url)
        if not self.variable.strip() or _CONTROL.search(self.variable):
            raise ValueError("'variable' is no name of a variable")


Credential = Basic | AccessToken | ApiKey | ClientCredentials | AuthorizationCode | JwtBearer | MutualTls | Consumer
OAuth = ClientCredentials | AuthorizationCode | JwtBearer
KINDS: dict[str, type[msgspec.Struct]] = {
    str(kind.__struct_config__.tag): kind
    for kind in (Basic, AccessToken, ApiKey, ClientCredentials, AuthorizationCode, JwtBearer, MutualTls, Consumer)
}


def certificate_of(credentials: Mapping[str, Credential], credential: Credential) -> MutualTls | None:
    """Return the certificate that is shown together with a credential, None for none."""
    named = credentials.get(getattr(credential, "mutual_tls", ""))
    return named if isinstance(named, MutualTls) else None


def certificate_problem(credentials: Mapping[str, Credential]) -> tuple[str, str] | None:
    """Return the key that names a certificate that is none, and the name; None when all are good."""
    for name, credential in credentials.items():
        named = getattr(credential, "mutual_tls", "")
        if named and certificate_of(credentials, credential) is None:
            return f"credentials.{name}.mutual_tls", named
    return None


def kind_of(credential: Credential) -> str:
    """Return the `type` of a credential."""
    return str(credential.__struct_config__.tag)


def secrets_of(credential: Credential) -> list[tuple[str, Secret]]:
    """List what a credential needs to read: the key it stands at, and where it is."""
    found: list[tuple[str, Secret]] = []
    for name in credential.__struct_fields__:
        value = getattr(credential, name)
        if isinstance(value, Secret):
            found.append((name, value))
        elif isinstance(value, dict):
            found += [(f"{name}.{key}", one) for key, one in value.items() if isinstance(one, Secret)]
    return found


def secrets_written_out(tables: object) -> str | None:
    """Return the key at which a secret itself stands in the undecoded `[credentials]`, None when there is none."""
    if not isinstance(tables, dict):
        return None
    for name, table in tables.items():
        for key, value in _texts(table):
            if SECRET_NAME.search(key) and not isinstance(value, dict):
                return f"{name}.{key}"
    return None


def _texts(table: object) -> list[tuple[str, object]]:
    """List the keys of a credential and of the tables in it, such as `parameters`; references are left alone."""
    if not isinstance(table, dict):
        return []
    inner = [
        (f"{key}.{name}", value)
        for key, part in table.items()
        if isinstance(part, dict)
        for name, value in part.items()
    ]
    references = ("env", "file", "command")
    return [*table.items(), *(pair for pair in inner if pair[0].rpartition(".")[2] not in references)]


def _check_header(name: str, scheme: str = "") -> None:
    if not _HEADER_NAME.fullmatch(name) or name.lower() in _FRAME:
        raise ValueError("'header' cannot be the name of a header with a secret")
    if _CONTROL.search(scheme):
        raise ValueError("'scheme' has a character that cannot stand in a header")


def _check_address(name: str, address: str) -> None:
    try:
        parts = urlsplit(address)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        good = False
    if not good or re.search(r"\s", address):
        raise ValueError(f"'{name}' has to be an http or https address, without user and password")


def _check_parameters(name: str, parameters: dict[str, str] | dict[str, str | Secret]) -> None:
    """Refuse what the protocol itself says."""
    own = {"grant_type", "client_id", "client_secret", "code", "code_verifier", "refresh_token", "assertion", "scope"}
    own |= {"state", "redirect_uri", "response_type", "code_challenge", "code_challenge_method"}
    if clash := sorted(own & parameters.keys()):
        raise ValueError(f"'{name}' cannot give '{clash[0]}': it is given by the protocol")
