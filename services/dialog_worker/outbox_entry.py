"""Effects as the consumer sees them: entries of the outbox, in the shape of a message (design section 6)."""

from typing import Any

import msgspec

from shared.dialog.effects import Close, Effect, Reply, Transfer


class OutboxEntry(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """A message without `id` and `at`, which its readers add."""

    sender: str = msgspec.field(name="from")
    type: str
    text: str | None = None
    content: dict[str, Any] | None = None
    quick_replies: dict[str, Any] | None = None
    delay_ms: int = 0


def outbox_entry(effect: Effect) -> bytes | None:
    """Return the JSON of what an effect shows, None when it shows nothing."""
    match effect:
        case Reply(text=text, content=content, quick_replies=replies, delay_ms=delay):
            kind = "rich" if content is not None else "text"
            entry = OutboxEntry("bot", kind, text, content, replies, delay)
        case Transfer(text=text, delay_ms=delay):
            entry = OutboxEntry("system", "transfer", text, delay_ms=delay)
        case Close():
            entry = OutboxEntry("system", "closed")
        case _:
            return None
    return msgspec.json.encode(entry)


def text_entry(text: str) -> bytes:
    """Return the JSON of a plain text from the bot."""
    return msgspec.json.encode(OutboxEntry("bot", "text", text))
