"""Sensitive data that outlive a conversation: variables kept "forever" and data of the context service.

They belong to a consumer, or to everybody, and so to no conversation's key: they are sealed with the installation's
secret, each for its own place. What is sealed begins with a character that begins no JSON.
"""

import base64
import binascii

from shared.privacy.sealing import CannotOpen, Sealer

_MARK = "~"


def is_sealed_text(text: str) -> bool:
    """Tell what was sealed from what was not."""
    return text.startswith(_MARK)


class ConsumerData:
    """Seals and opens JSON texts, with the installation's secrets (none: both say what is missing)."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        self._sealer = Sealer(secrets, "consumer data") if secrets else None

    def seal(self, text: str, place: str) -> str:
        """Return a text sealed for a place. Raises CannotOpen without a secret."""
        return _MARK + base64.b64encode(self._own().seal(text.encode(), place.encode())).decode()

    def open(self, text: str, place: str) -> str:
        """Return what was sealed for a place; what was not is returned as it is. Raises CannotOpen."""
        if not is_sealed_text(text):
            return text
        try:
            sealed = base64.b64decode(text.removeprefix(_MARK), validate=True)
        except binascii.Error as error:
            raise CannotOpen("sealed, and changed since") from error
        return self._own().open(sealed, place.encode()).decode()

    def _own(self) -> Sealer:
        if self._sealer is None:
            raise CannotOpen("this program has no BOTLANE_SECRET: give it the gateway's")
        return self._sealer
