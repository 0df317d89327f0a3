"""Sealing what is stored: AES-256-GCM under a key made from one of the installation's secrets, for one purpose.

    sealed = format (1 byte, 1) | key (4 bytes: which secret's key it is) | nonce (12 bytes) | ciphertext and tag

The key is HKDF-SHA256 of the secret; the purpose is its info, so that what one part sealed no other part opens.
The first secret seals, every secret opens: a new one is put first, the old one taken off when nothing of it is left.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_FORMAT = b"\x01"
_KEY_ID = 4
_NONCE = 12
_HEAD = len(_FORMAT) + _KEY_ID + _NONCE


class CannotOpen(Exception):  # noqa: N818 - says what happened
    """What is stored was sealed with a secret that is not among those given, for something else, or was changed."""


class Sealer:
    """Seals and opens for one purpose. It holds keys only, never the secrets, and shows neither."""

    def __init__(self, secrets: tuple[str, ...], purpose: str) -> None:
        if not secrets:
            raise ValueError("at least one secret is needed")
        if not purpose:
            raise ValueError("a purpose is needed: it keeps the parts of the system from opening each other's data")
        self._purpose = purpose
        keys = [_derived(secret.encode(), purpose, 32 + _KEY_ID) for secret in secrets]
        self._first = keys[0][32:]
        self._ciphers = {key[32:]: AESGCM(key[:32]) for key in reversed(keys)}

    def __repr__(self) -> str:
        return f"Sealer(purpose={self._purpose!r})"

    def seal(self, content: bytes, bound_to: bytes = b"") -> bytes:
        """Return `content` sealed with the first secret; `bound_to` (not stored) must be the same to open it."""
        head = _FORMAT + self._first
        nonce = os.urandom(_NONCE)
        return head + nonce + self._ciphers[self._first].encrypt(nonce, content, head + bound_to)

    def open(self, sealed: bytes, bound_to: bytes = b"") -> bytes:
        """Return what was sealed. Raises CannotOpen, which names what to mend."""
        if len(sealed) < _HEAD or sealed[:1] != _FORMAT:
            raise CannotOpen(f"this was not sealed for {self._purpose!r}, or it was cut off")
        head, nonce = sealed[: 1 + _KEY_ID], sealed[1 + _KEY_ID : _HEAD]
        cipher = self._ciphers.get(head[1:])
        if cipher is None:
            raise CannotOpen(
                f"sealed for {self._purpose!r} with none of the secrets given: "
                "BOTLANE_SECRET must list the secret that sealed it, behind the one that seals now"
            )
        try:
            return cipher.decrypt(nonce, sealed[_HEAD:], head + bound_to)
        except InvalidTag as error:
            raise CannotOpen(f"sealed for {self._purpose!r}, but not for this place, or changed since") from error


def _derived(secret: bytes, purpose: str, length: int) -> bytes:
    info = b"botlane sealing\0" + purpose.encode()
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=None, info=info).derive(secret)
