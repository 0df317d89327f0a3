"""What forms might show to be let in: tokens that count, and those that have ended, were used, are foreign or spoilt."""

import hashlib
import json
import random
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from shared.privacy.form_token import FormToken, FormTokens, new_id, whose

SECRET = "the secret of a gateway that forms try to get past"
_KINDS = (
    "valid",
    "valid",
    "valid",
    "some names",
    "once",
    "used",
    "ended",
    "conversation",
    "consumer",
    "secret",
    "changed",
    "hash",
)
_ANSWERS = {
    "used": ("token_used",),
    "ended": ("token_expired",),
    "conversation": ("not_found",),
    "consumer": ("not_found",),
    "secret": ("unauthorized",),
    "changed": ("unauthorized",),
    "hash": ("unauthorized",),
}

LONGEST_NAME = 500


class Credential(NamedTuple):
    """What is shown. `names` may be set by it (None: any); `answers` are the codes that refuse it, none if it counts."""

    kind: str
    header: str
    names: frozenset[str] | None = None
    answers: tuple[str, ...] = ()


def checksum(ids: Mapping[str, str]) -> Credential:
    """Return CB's hash, which counts in compatible mode."""
    return Credential("hash", hashlib.sha256(f"{ids['conversationId']} || {ids['botId']}".encode()).hexdigest())


class Wallet:
    """The tokens of one conversation's forms, from a seed for each call."""

    def __init__(self, ids: Mapping[str, str]) -> None:
        self._ids = ids
        self._tokens = FormTokens((SECRET,))
        self._used: list[str] = []

    def used(self, credential: Credential) -> None:
        """Note that a call with this was accepted."""
        if credential.kind == "once":
            self._used.append(credential.header)

    def credential(self, seed: int, names: frozenset[str]) -> Credential:
        """Return what the form with this seed shows for variables with these names."""
        choices = random.Random(f"credential {seed}")
        kind = choices.choice(_KINDS)
        if kind == "used" and not self._used:
            kind = "once"
        if kind == "some names":
            names = frozenset(name for name in names if choices.random() < 0.5)
        return Credential(kind, self._header(kind, names, choices), names, _ANSWERS.get(kind, ()))

    def token(self, kind: str) -> str:
        """Return a token of a kind, for a message only."""
        return self._header(kind, frozenset(), random.Random(kind)).removeprefix("Bearer ")

    def _header(self, kind: str, names: frozenset[str], choices: random.Random) -> str:
        match kind:
            case "hash":
                return checksum(self._ids).header
            case "used":
                return choices.choice(self._used)
            case "ended":
                return self._token(names, till=round(time.time() * 1000) - choices.choice((1, 60_000)))
            case "conversation":
                return self._token(names, conversation_id="0-" + "e" * 32)
            case "consumer":
                return self._token(names, whose=whose(self._ids["botId"], "somebody else"))
            case "secret":
                return self._token(names, FormTokens(("the secret of another installation",)))
            case "changed":
                token = self._token(names)
                at = choices.randrange(len("Bearer wv1."), len(token) - 1)
                return token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
            case _:
                return self._token(names, once=kind == "once")

    def _token(self, names: frozenset[str], tokens: FormTokens | None = None, **other: Any) -> str:
        fields: dict[str, Any] = {
            "id": new_id(),
            "conversation_id": self._ids["conversationId"],
            "whose": whose(self._ids["botId"], self._ids["userId"]),
            "names": tuple(sorted(names)),
            "till": round(time.time() * 1000) + 3_600_000,
            "once": False,
        }
        return f"Bearer {(tokens or self._tokens).make(FormToken(**(fields | other)))}"


def names_in(content: bytes) -> frozenset[str]:
    """Return the names of the variables that can be read in a body."""
    try:
        given: Any = json.loads(content.decode("utf-8-sig", errors="replace")).get("contextVariables") or ()
    except (ValueError, AttributeError, RecursionError):
        return frozenset()
    if isinstance(given, dict):
        return frozenset(filter(_may_be_named, given))
    entries = given if isinstance(given, list) else ()
    return frozenset(one["name"] for one in entries if isinstance(one, dict) and _may_be_named(one.get("name")))


def _may_be_named(name: Any) -> bool:
    """Tell what is a text that has its place in a token and a header."""
    return isinstance(name, str) and len(name) <= LONGEST_NAME and name.encode(errors="replace").decode() == name
