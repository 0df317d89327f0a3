"""Conversation tokens: a short signed note of what it opens and until when; nothing about them is stored.

    base64url(msgpack [purpose, subject, expires_at]) "." base64url(HMAC-SHA256)

The first secret signs, all verify, so that secrets can be replaced while tokens live. The alphabet fits a WebSocket
subprotocol.
"""

import base64
import binascii
import hashlib
import hmac
from functools import lru_cache

import msgspec

_KNOWN = 2048
"""Tokens that need not be checked again but for their end; consumers send the same one with every message."""


class TokenWrong(Exception):  # noqa: N818 - says what it is
    """This is not a token of ours, or it was made for something else."""


class TokenExpired(Exception):  # noqa: N818 - says what it is
    """The token was good; its time is over."""


class _Claims(msgspec.Struct, frozen=True, array_like=True):
    purpose: str
    subject: str
    expires_at: int


class Tokens:
    """Sign and verify. Times are whole seconds since the epoch, given by the caller."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        if not secrets:
            raise ValueError("at least one secret is needed")
        self._keys = tuple(hashlib.sha256(b"botlane token\0" + secret.encode()).digest() for secret in secrets)
        self._known = lru_cache(_KNOWN)(self._read)

    def sign(self, purpose: str, subject: str, expires_at: int) -> str:
        """Return a token that opens `subject` for `purpose` until `expires_at`."""
        claims = msgspec.msgpack.encode(_Claims(purpose, subject, expires_at))
        return f"{_text(claims)}.{_text(_signature(self._keys[0], claims))}"

    def verify(self, purpose: str, token: str, now: float) -> tuple[str, int]:
        """Return the subject and when the token ends. Raises TokenWrong or TokenExpired."""
        found = self._known(token)
        if found.purpose != purpose:
            raise TokenWrong
        if found.expires_at <= now:
            raise TokenExpired
        return found.subject, found.expires_at

    def _read(self, token: str) -> _Claims:
        encoded, _, signed = token.partition(".")
        claims, signature = _bytes(encoded), _bytes(signed)
        # Every key is tried, so that the time taken does not tell which one fits.
        if not sum(hmac.compare_digest(_signature(key, claims), signature) for key in self._keys):
            raise TokenWrong
        return msgspec.msgpack.decode(claims, type=_Claims)

    def stamp(self, content: bytes) -> str:
        """Return 24 hex digits that only the holder of the secret can make of this content."""
        return hmac.new(self._keys[0], b"stamp\0" + content, hashlib.sha256).hexdigest()[:24]


def _signature(key: bytes, claims: bytes) -> bytes:
    return hmac.digest(key, claims, "sha256")


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise TokenWrong from error
