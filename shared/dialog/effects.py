"""What a turn wants done. The engine returns effects; the dialog worker carries them out in one COMMIT."""

from typing import Any

import msgspec


class Reply(msgspec.Struct, frozen=True, tag="reply", omit_defaults=True):
    """One message for the consumer: text, or rich content, with the quick replies that hang on it.

    `content` and `quick_replies` are LivePerson rich-content JSON (reference/surroundings.md 4); the client waits
    `delay_ms` before it shows the message. `asks` marks the message of a question that now waits.
    """

    text: str | None = None
    content: dict[str, Any] | None = None
    quick_replies: dict[str, Any] | None = None
    delay_ms: int = 0
    asks: bool = False


class Transfer(msgspec.Struct, frozen=True, tag="transfer", omit_defaults=True):
    """The conversation goes to people: the bot stays silent until `__agent_escalation_failed__` (R21)."""

    text: str | None = None
    skill_id: str | None = None
    agent_id: str | None = None
    delay_ms: int = 0


class Close(msgspec.Struct, frozen=True, tag="close"):
    """The conversation ends. `survey` is true for Close Dialog, false for Close Conversation."""

    survey: bool


class Reopen(msgspec.Struct, frozen=True, tag="reopen"):
    """A transferred conversation comes back to the bot (`__agent_escalation_failed__`)."""


class StartCall(msgspec.Struct, frozen=True, tag="call"):
    """An integration is to be called; the turn ends here and the conversation waits.

    `values` maps each template expression of the integration's request to its value (text, or JSON for whole
    objects); the integration worker needs nothing else.
    """

    integration_id: str
    values: dict[str, Any]


class ContextWrite(msgspec.Struct, frozen=True, tag="context", omit_defaults=True):
    """A write to data outside the session.

    `scope` is `conversation`, `user`, `global` (context service: `namespace` and `name` say where) or `forever` (a
    variable kept 180 days per consumer and bot: `namespace` is empty). `value` is JSON text; None deletes the field,
    and `name` None (with `value` None) deletes all of the namespace. `ttl_ms` 0 means the scope's longest.
    """

    scope: str
    namespace: str
    name: str | None
    value: str | None
    ttl_ms: int = 0


class ReceiptFact(msgspec.Struct, frozen=True, tag="receipt"):
    """What the owner of a form is told about a Web View call.

    `fact` is `applied` (its variables are kept), what became of its message (`routed`, `kept`, `dropped`), or `read:`
    and the name of an interaction that read one of its variables.
    """

    receipt: str
    fact: str


Effect = Reply | Transfer | Close | Reopen | StartCall | ContextWrite | ReceiptFact
