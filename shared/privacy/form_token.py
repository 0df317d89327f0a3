"""Tokens for forms: sealed notes of what a form may post, for which conversation and until when.

The dialog worker makes them for scripts (`botContext.getWebViewToken`), the gateway opens them. Nobody else can read or
change one, so a form learns neither ids nor names from it. Times are milliseconds by Redis' clock.
"""

import base64
import binascii
import hashlib
import os
import re
from typing import Annotated

import msgspec

from shared.dialog.scripts import MINTED
from shared.privacy.sealing import CannotOpen, Sealer

PURPOSE = "web view token"
_PREFIX = "wv1."
_IN_TEXT = re.compile(r"wv1\.[A-Za-z0-9_-]{40,}", re.ASCII)


USUAL_SECONDS = 3600
MOST_SECONDS = 24 * 3600
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_Names = Annotated[tuple[_Name, ...], msgspec.Meta(max_length=200)]


class Wanted(msgspec.Struct, frozen=True, array_like=True):
    """What a script asks for, as it stands in a key behind its beginning (shared/dialog/scripts.py)."""

    names: _Names
    seconds: float
    once: bool

    def till(self, now: int) -> int:
        """Return when a token that is made now ends."""
        seconds = min(self.seconds, MOST_SECONDS) if self.seconds > 0 else USUAL_SECONDS
        return now + max(round(seconds * 1000), 1)


def wanted(key: str) -> Wanted | None:
    """Return what a key asks for, None when it cannot be read."""
    try:
        return msgspec.json.decode(key.removeprefix(MINTED), type=Wanted)
    except msgspec.DecodeError:
        return None


class NoToken(Exception):  # noqa: N818 - says what it is
    """This is no token of this installation, or it was changed."""


class FormToken(msgspec.Struct, frozen=True, array_like=True):
    """What a token says: `names` are the variables it is for; it ends at `till` and, if `once`, with its first use.

    `whose` ties it to bot and consumer of the conversation (`whose`, below); `id` tells it from all others.
    """

    id: str
    conversation_id: str
    whose: bytes
    names: tuple[str, ...]
    till: int
    once: bool


def whose(bot_id: str, user_id: str) -> bytes:
    """Return what stands for a bot and a consumer in a token."""
    return hashlib.sha256(f"{bot_id}\0{user_id}".encode()).digest()[:12]


def last_in(text: str) -> str:
    """Return the token that stands last in a text, as in the address of a form; empty when there is none."""
    found = _IN_TEXT.findall(text)
    return str(found[-1]) if found else ""


def new_id() -> str:
    """Return a fresh id: 96 random bits."""
    return os.urandom(12).hex()


class FormTokens:
    """Makes and opens tokens; the first of the secrets seals, all open. Raises ValueError without a secret."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        self._sealer = Sealer(secrets, PURPOSE)

    def make(self, token: FormToken) -> str:
        """Return a token as text that may stand in an address as it is."""
        sealed = self._sealer.seal(msgspec.msgpack.encode(token))
        return _PREFIX + base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def open(self, text: str) -> FormToken:
        """Return what a token says. Raises NoToken. Whether it has ended is Redis' to tell."""
        encoded = text.removeprefix(_PREFIX)
        try:
            sealed = base64.b64decode(
                encoded.encode("ascii") + b"=" * (-len(encoded) % 4), altchars=b"-_", validate=True
            )
            return msgspec.msgpack.decode(self._sealer.open(sealed), type=FormToken)
        except (UnicodeEncodeError, binascii.Error, CannotOpen, msgspec.DecodeError) as error:
            raise NoToken from error
