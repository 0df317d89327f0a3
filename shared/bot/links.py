"""Follow the links between interactions, dialogs and integrations (CB: reference/dialogs.md 1.3, 1.4, 1.9)."""

from collections.abc import Iterator

from shared.bot import export as raw
from shared.bot.errors import BotError, Finding

_REMEDY = "Export the bot again; its links between interactions are broken"


class Links:
    """The interactions of an export by dialog, in linked order, with their names and what was found on the way."""

    def __init__(self, export: raw.Export) -> None:
        self.messages = {message.id: message for message in export.conversation_message}
        self.dialogs = {group.id: group for group in export.groups}
        self.names = {message.name: message.id for message in reversed(export.conversation_message)}
        self.integrations = {responder.id for responder in export.responder}
        self.integration_names = {responder.name: responder.id for responder in export.responder}
        self.chains: dict[str, list[raw.Message]] = {}
        self.findings: list[Finding] = []

    @classmethod
    def of(cls, export: raw.Export, file: str) -> "Links":
        """Link an export. Raises BotError when a list of interactions cannot be followed."""
        links = cls(export)
        _check_unique(export, file)
        members: dict[str, list[raw.Message]] = {group.id: [] for group in export.groups}
        for index, message in enumerate(export.conversation_message):
            if message.group not in members:
                raise BotError(
                    file,
                    f"conversationMessage[{index}].group",
                    f"'{message.name}' is in no dialog of this file",
                    _REMEDY,
                )
            members[message.group].append(message)
        for group in export.groups:
            links.chains[group.id] = links._chain(group, members[group.id], file)
        return links

    def in_order(self) -> Iterator[raw.Message]:
        """Yield all interactions, dialog by dialog."""
        for chain in self.chains.values():
            yield from chain

    def next_of(self, message: raw.Message) -> str | None:
        """Return the next enabled interaction's id, None at the end of the dialog."""
        if message.next_message_id and self._following(message) is None:
            self.find("broken-links", message, "the interaction after it is not in its dialog: the dialog ends here")
        following = self._following(message)
        while following is not None and following.status == "INACTIVE":
            following = self._following(following)
        return following.id if following is not None else None

    def find(self, code: str, message: raw.Message, note: str) -> None:
        """Remember something the author should know about an interaction."""
        dialog = self.dialogs[message.group].name
        self.findings.append(Finding(code, f"{dialog} / {message.name}", note))

    def _following(self, message: raw.Message) -> raw.Message | None:
        following = self.messages.get(message.next_message_id or "")
        return following if following is not None and following.group == message.group else None

    def _chain(self, group: raw.Group, members: list[raw.Message], file: str) -> list[raw.Message]:
        """Follow `nextMessageId` from the one interaction that has no predecessor."""
        if not members:
            return []
        self._refuse_rings(group, members, file)
        ids = {message.id for message in members}
        led_to = {message.next_message_id for message in members}
        heads = [message for message in members if message.prev_message_id not in ids]
        heads = heads or [message for message in members if message.id not in led_to]
        chain: list[raw.Message] = []
        seen: set[str] = set()
        for head in heads:
            following: raw.Message | None = head
            while following is not None and following.id not in seen:
                seen.add(following.id)
                chain.append(following)
                following = self._following(following)
        lost = [message for message in members if message.id not in seen]
        for message in (*heads[1:], *lost):
            self.find("broken-links", message, "it does not hang on the first interaction of its dialog")
        return chain + lost

    def _refuse_rings(self, group: raw.Group, members: list[raw.Message], file: str) -> None:
        done: set[str] = set()
        for message in members:
            walk: set[str] = set()
            following: raw.Message | None = message
            while following is not None and following.id not in done:
                if following.id in walk:
                    place = f"dialog '{group.name}'"
                    raise BotError(file, place, f"its interactions form a ring at '{following.name}'", _REMEDY)
                walk.add(following.id)
                following = self._following(following)
            done |= walk


def _check_unique(export: raw.Export, file: str) -> None:
    for key, ids in (
        ("groups", [group.id for group in export.groups]),
        ("conversationMessage", [message.id for message in export.conversation_message]),
        ("responder", [responder.id for responder in export.responder]),
    ):
        seen: set[str] = set()
        for index, identifier in enumerate(ids):
            if identifier in seen:
                raise BotError(file, f"{key}[{index}].id", "the same id stands there twice", _REMEDY)
            seen.add(identifier)
