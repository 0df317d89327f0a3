"""OAuth 2 by Authlib's protocol functions: what is sent to a token end-point, and what its answer means. Pure.

Authlib writes and signs the messages; our own guarded client carries them. Nothing a token end-point says is repeated
in an error, since it may repeat what it was sent.
"""

import math
from collections.abc import Mapping

import msgspec
from authlib.common.security import generate_token
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7523.assertion import sign_jwt_bearer_assertion
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from cryptography.exceptions import UnsupportedAlgorithm
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey, RSAKey

from shared.bot.integration import Policy
from shared.bot.manifest_credentials import AuthorizationCode, ClientCredentials, JwtBearer
from shared.credentials.issued import LONGEST_LIFE, USUAL_LIFE, Issued, NotIssued
from shared.integration.client import Answer
from shared.integration.request import Request

TOKEN_POLICY = Policy(redirects=0, response_limit=65_536)
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"

_HEADERS = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded;charset=UTF-8"}
_ERRORS = frozenset(
    {
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
        "invalid_target",
        "access_denied",
        "consent_required",
        "interaction_required",
    }
)
_PASSING = frozenset({"unreachable", "lost", "timeout", "limited", "breaker_open"})
_FOR_A_WHILE = frozenset({408, 425, 429})


def client_credentials(credential: ClientCredentials, secrets: Mapping[str, str]) -> Request:
    """Return the request for a token of the client's own. `secrets` are the texts of the credential, by key."""
    body = prepare_token_request("client_credentials", scope=credential.scope, **_more(credential.parameters, secrets))
    return _by_client(credential, secrets, body)


def refresh(credential: AuthorizationCode, secrets: Mapping[str, str], refresh_token: str) -> Request:
    """Return the request that trades a refresh token for a token."""
    more = _more(credential.parameters, secrets)
    return _by_client(credential, secrets, prepare_token_request("refresh_token", refresh_token=refresh_token, **more))


def exchange(
    credential: AuthorizationCode, secrets: Mapping[str, str], code: str, verifier: str, redirect_uri: str
) -> Request:
    """Return the request that trades the code of a consent for tokens (with PKCE, RFC 7636)."""
    body = prepare_token_request(
        "authorization_code",
        redirect_uri=redirect_uri,
        code=code,
        code_verifier=verifier,
        **_more(credential.parameters, secrets),
    )
    return _by_client(credential, secrets, body)


def consent_page(credential: AuthorizationCode, client_id: str, state: str, verifier: str, redirect_uri: str) -> str:
    """Return the address at which somebody consents."""
    page: str = prepare_grant_uri(
        credential.authorize_url,
        client_id,
        "code",
        redirect_uri=redirect_uri,
        scope=credential.scope,
        state=state,
        code_challenge=create_s256_code_challenge(verifier),
        code_challenge_method="S256",
        **credential.authorize_parameters,
    )
    return page


def random_text() -> str:
    """Return 48 random letters and digits: a state, or a verifier of PKCE."""
    text: str = generate_token(48)
    return text


def jwt_bearer(credential: JwtBearer, secrets: Mapping[str, str]) -> Request:
    """Return the request that trades a signed statement for a token (RFC 7523). Raises NotIssued for a bad key."""
    header = {"typ": "JWT"} | ({"kid": credential.key_id} if credential.key_id else {})
    try:
        assertion = sign_jwt_bearer_assertion(
            _key(credential.algorithm, secrets["private_key"]),
            secrets["issuer"],
            credential.audience or credential.token_url,
            subject=credential.subject or None,
            claims=dict(credential.claims),
            header=header,
            alg=credential.algorithm,
            expires_in=credential.lifetime,
        )
    except (JoseError, UnsupportedAlgorithm, ValueError, TypeError, KeyError):
        # What the library says may hold parts of the key.
        raise NotIssued(f"private_key cannot be used to sign with {credential.algorithm}") from None
    more = _more(credential.parameters, secrets)
    body = prepare_token_request(JWT_BEARER, assertion=assertion, scope=credential.scope, **more)
    return Request("POST", credential.token_url, dict(_HEADERS), body.encode())


def issued(answer: Answer) -> Issued:
    """Return the token of an answer. Raises NotIssued."""
    ending = answer.ending
    if ending.failure is not None:
        passing = ending.failure in _PASSING
        raise NotIssued(f"the token end-point: {ending.detail}", passing=passing)
    content = _object(answer.body)
    if "error" in content:
        code = content["error"]
        known = code if isinstance(code, str) and code in _ERRORS else ""
        raise NotIssued(f"the token end-point answered {known or 'with an error of its own'}", code=known)
    if ending.status // 100 != 2:
        passing = ending.status >= 500 or ending.status in _FOR_A_WHILE
        raise NotIssued(f"the token end-point answered {ending.status}", passing=passing)
    token, kind = content.get("access_token"), content.get("token_type", "bearer")
    if not _is_token(token):
        raise NotIssued("the token end-point gave no access token")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise NotIssued("the token end-point gave a token that is no bearer token")
    again = content.get("refresh_token")
    return Issued(str(token), _life(content.get("expires_in")), str(again) if _is_token(again) else "")


def _by_client(credential: ClientCredentials | AuthorizationCode, secrets: Mapping[str, str], body: str) -> Request:
    """Let the client say who it is: in a header or in the body; one without a secret gives its id alone."""
    secret = secrets.get("client_secret")
    method = "none" if secret is None else f"client_secret_{credential.client_auth}"
    auth = ClientAuth(secrets["client_id"], secret, method)
    try:
        url, headers, body = auth.prepare("POST", credential.token_url, dict(_HEADERS), body)
    except UnicodeEncodeError:
        why = "client_id or client_secret has a character that basic authentication cannot carry: client_auth = 'post'"
        raise NotIssued(why) from None
    return Request("POST", url, headers, body.encode())


def _more(parameters: Mapping[str, object], secrets: Mapping[str, str]) -> dict[str, str]:
    return {name: secrets[f"parameters.{name}"] for name in parameters}


def _key(algorithm: str, text: str) -> object:
    """Return the key to sign with, from PEM or a JWK; for HMAC the text itself is the key."""
    if algorithm.startswith("HS"):
        return OctKey.import_key(text)
    kind = ECKey if algorithm.startswith("ES") else RSAKey
    if text.lstrip().startswith("{"):
        return kind.import_key(msgspec.json.decode(text, type=dict[str, str | list[str]]))
    return kind.import_key(text)


def _object(body: str) -> dict[str, object]:
    try:
        return msgspec.json.decode(body, type=dict[str, object])
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return {}


def _is_token(value: object) -> bool:
    return isinstance(value, str) and bool(value) and all(33 <= ord(one) < 127 for one in value)


def _life(given: object) -> float:
    """Return the seconds a token lives; some end-points write the number as text, some write none."""
    try:
        seconds = float(given) if isinstance(given, int | float | str) and not isinstance(given, bool) else USUAL_LIFE
    except ValueError:
        return USUAL_LIFE
    return min(max(seconds, 0.0), LONGEST_LIFE) if math.isfinite(seconds) else USUAL_LIFE
