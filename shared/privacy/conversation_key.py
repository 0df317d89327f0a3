"""The key of one conversation: random, stored beside its data and sealed by the installation's secret.

What is sealed with it begins with a byte that begins neither msgpack nor JSON, so that data from before, or of a bot
that names nothing sensitive, are told from it. When the key is deleted, nothing sealed with it can be read again.

    sealed = 0xC1 | nonce (12 bytes) | ciphertext and tag
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.privacy.sealing import CannotOpen, Sealer

_MARK = b"\xc1"
_NONCE = 12


def is_sealed(content: bytes) -> bool:
    """Tell what was sealed from what was not."""
    return content[:1] == _MARK


class ConversationKey:
    """Seals and opens what one conversation stores. `place` (which field, which kind) must be the same for both."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, content: bytes, place: str) -> bytes:
        """Return `content` sealed for a place."""
        nonce = os.urandom(_NONCE)
        return _MARK + nonce + self._cipher.encrypt(nonce, content, place.encode())

    def open(self, content: bytes, place: str) -> bytes:
        """Return what was sealed; what was not is returned as it is. Raises CannotOpen."""
        if not is_sealed(content):
            return content
        nonce, sealed = content[1 : 1 + _NONCE], content[1 + _NONCE :]
        try:
            return self._cipher.decrypt(nonce, sealed, place.encode())
        except (InvalidTag, ValueError) as error:
            raise CannotOpen(
                "sealed with the key of another conversation, for another place, or changed since"
            ) from error


class ConversationKeys:
    """Makes and opens the keys of conversations, with the installation's secrets (none: both say what is missing)."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        self._sealer = Sealer(secrets, "conversation keys") if secrets else None

    def fresh(self, conversation_id: str) -> bytes:
        """Return a new key as it is stored. Raises CannotOpen without a secret."""
        return self._own().seal(AESGCM.generate_key(256), conversation_id.encode())

    def open(self, conversation_id: str, stored: bytes) -> ConversationKey:
        """Return the key of a conversation. Raises CannotOpen."""
        return ConversationKey(self._own().open(stored, conversation_id.encode()))

    def _own(self) -> Sealer:
        if self._sealer is None:
            raise CannotOpen(
                "a bot names sensitive variables, and this program has no BOTLANE_SECRET: set it as for the gateway"
            )
        return self._sealer
