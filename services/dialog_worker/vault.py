"""What a conversation stores, sealed and opened with its own key, at the edge between the turn and the mailbox.

A conversation of a bot that names nothing sensitive has no key, and nothing here costs it anything.
"""

from collections.abc import Iterable, Mapping

import msgspec

from services.dialog_worker.turn_processes import EngineFailure
from shared.privacy.conversation_key import ConversationKey, ConversationKeys, is_sealed
from shared.privacy.sealing import CannotOpen
from shared.queue.mailbox import Mailbox
from shared.queue.records import CallRecord, Commit, ContextField, StoredEvent

SESSION, CONTEXT = "session", "context"
OUTCOME = "outcome"
CALL = "call"
_SEALED_FORM = b'"sealed":'


class Vault:
    """One conversation's. `seal` is its key as it is stored, empty when it has none yet."""

    def __init__(self, keys: ConversationKeys, mailbox: Mailbox, conversation_id: str, seal: bytes) -> None:
        self._keys = keys
        self._mailbox = mailbox
        self._id = conversation_id
        self._seal = seal
        self._key: ConversationKey | None = None
        self._bare: set[str] = set()  # fields of the session that are stored unsealed

    async def key_of(self, event: StoredEvent) -> ConversationKey | None:
        """Return the key; None when there is none, and none is needed for the event. Raises EngineFailure."""
        if not self._seal and (is_sealed(event.body) or _SEALED_FORM in event.body):
            about = await self._mailbox.about(self._id)  # the key was made after this worker began
            self._seal = b"" if about is None else about.seal
        return self._opened() if self._seal else None

    def open(self, fields: Mapping[str, bytes], kind: str) -> dict[str, bytes]:
        """Return the fields of a hash (`kind`: which one) as they were when they were sealed. Raises EngineFailure."""
        if kind == SESSION:
            self._bare = {name for name, raw in fields.items() if not is_sealed(raw)}
        if not self._seal:
            return dict(fields)
        key = self._opened()
        try:
            return {name: key.open(raw, f"{kind}:{name}") for name, raw in fields.items()}
        except CannotOpen as error:
            raise EngineFailure(f"The {kind} of the conversation: {error}.") from error

    def left_bare(self, fields: Iterable[str]) -> None:
        """Note which fields of the session were stored as they are."""
        self._bare.update(fields)

    async def sealed(self, commit: Commit, session: Mapping[str, bytes]) -> Commit:
        """Return a COMMIT as it is to be stored on top of a session (open); a conversation without a key gets one.

        What is still stored as it was before the bot named anything sensitive is sealed with it. Raises EngineFailure.
        """
        if not self._seal:
            try:
                self._seal = await self._mailbox.keep_seal(self._id, self._keys.fresh(self._id))
            except CannotOpen as error:
                raise EngineFailure(f"{error}.") from error
        if not self._seal:
            return commit  # the conversation is gone: nothing will be stored
        key = self._opened()
        bare = {name: session[name] for name in self._bare.difference(commit.session_remove) if name in session}
        self._bare.clear()
        return msgspec.structs.replace(
            commit,
            session={name: key.seal(raw, f"session:{name}") for name, raw in (bare | commit.session).items()},
            context=[_context(field, key) for field in commit.context],
            call=None if commit.call is None else _call(commit.call, key),
        )

    def _opened(self) -> ConversationKey:
        if self._key is None:
            try:
                self._key = self._keys.open(self._id, self._seal)
            except CannotOpen as error:
                raise EngineFailure(f"The key of the conversation: {error}.") from error
        return self._key


def _context(field: ContextField, key: ConversationKey) -> ContextField:
    if field.value is None:
        return field
    return msgspec.structs.replace(field, value=key.seal(field.value, f"context:{field.field}"))


def _call(call: CallRecord, key: ConversationKey) -> CallRecord:
    return msgspec.structs.replace(call, values=key.seal(call.values, CALL))
