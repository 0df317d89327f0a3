"""What travels between the gateway and its callers, as Structs: JSON in camelCase. /openapi.json is made of these."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any

import msgspec

MESSAGE_BODY_LIMIT = 64 * 1024
TEXT_LIMIT = 8000

MessageId = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]


class Wire(msgspec.Struct, frozen=True, rename="camel"):
    """camelCase outside, snake_case inside. Unknown fields of requests are ignored: clients may be newer than we."""


class Problem(Wire, frozen=True):
    """What is wrong, for programs (`code`), for people (`message`), and which field is meant."""

    code: str
    message: str
    field: str | msgspec.UnsetType = msgspec.UNSET


class ProblemBody(Wire, frozen=True):
    """Every answer with a status of 400 and above; `success` (false) only at the Web View address."""

    error: Problem
    success: bool | msgspec.UnsetType = msgspec.UNSET


class ConversationRequest(Wire, frozen=True):
    """A new conversation. The last three need a channel key: they are believed."""

    channel: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] = "lp_web"
    engagement_attributes: dict[str, str] = {}
    user_id: Annotated[str, msgspec.Meta(min_length=1, max_length=256)] | None = None
    customer_info: dict[str, Any] | None = None
    personal_info: dict[str, Any] | None = None


class ConversationCreated(Wire, frozen=True):
    """A conversation, its consumer, and the token that opens it until `expiresAt`."""

    conversation_id: str
    user_id: str
    token: str
    expires_at: str


class TokenRenewed(Wire, frozen=True):
    """A token for another 24 hours."""

    token: str
    expires_at: str


class MessageRequest(Wire, frozen=True):
    """What the consumer wrote or tapped. The same `id` sent again is the same message."""

    text: str
    id: MessageId | None = None
    payload: str | None = None
    metadata: list[dict[str, Any]] = []


class MessageAccepted(Wire, frozen=True):
    """The message has its place in the conversation; `duplicate` says it had it before."""

    id: str
    sequence: int
    duplicate: bool


class Message(Wire, frozen=True, omit_defaults=True):
    """One entry of the outbox. `id` is its sequence as text, and the cursor after it.

    `from` is `consumer`, `bot` or `system`; `type` is `text`, `rich`, `transfer` or `closed`. `content` and
    `quickReplies` are LivePerson rich-content JSON; the client waits `delayMs`. `clientId` is the id the consumer
    gave its message.
    """

    id: str
    at: str
    sender: str = msgspec.field(name="from")
    type: str
    text: str | None = None
    content: dict[str, Any] | None = None
    quick_replies: dict[str, Any] | None = None
    delay_ms: int = 0
    client_id: str | None = None


class MessagePage(Wire, frozen=True, omit_defaults=True):
    """Messages after a cursor. `gap` says that older ones, after that cursor, were already trimmed."""

    messages: list[msgspec.Raw]
    cursor: str
    gap: bool = False


class TokenFrame(Wire, frozen=True):
    """The first frame of a stream that brought no token in its handshake."""

    token: str


class MessageFrame(Wire, frozen=True):
    """Something was said."""

    message: msgspec.Raw


class AckFrame(Wire, frozen=True):
    """A message of this client has its place."""

    ack: MessageAccepted


class ErrorFrame(Wire, frozen=True):
    """A frame of this client was refused; `id` is its message's, when it had one."""

    error: Problem
    id: str | msgspec.UnsetType = msgspec.UNSET


class GapFrame(Wire, frozen=True):
    """Messages after the client's cursor were already trimmed; the next ones follow."""

    gap: bool


class WebViewRequest(Wire, frozen=True):
    """What an external form posts; `contextVariables` is a list of `{name, value}` or a plain object."""

    bot_id: str
    conversation_id: str
    user_id: str
    message: str | None = None
    context_variables: list[Any] | dict[str, Any] | None = None


class WebViewTokenRequest(Wire, frozen=True):
    """What a form posts that has a token: it knows the conversation, so that ids may be left out."""

    bot_id: str | None = None
    conversation_id: str | None = None
    user_id: str | None = None
    message: str | None = None
    context_variables: list[Any] | dict[str, Any] | None = None


class Ignored(Wire, frozen=True):
    """A variable that was not taken: its place in the list, or 0 and up in a plain object, and why."""

    index: int
    reason: str


class WebViewAccepted(Wire, frozen=True):
    """What became of a Web View call: `variables` counts those stored, `message` is `queued`, `none` or `late`."""

    success: bool
    receipt: str
    variables: int
    ignored: list[Ignored]
    message: str


class ReceiptReader(Wire, frozen=True):
    """An interaction that read a variable of a Web View call, and when one did first."""

    interaction: str
    at: str


class ReceiptTold(Wire, frozen=True):
    """What became of a Web View call: words and names of interactions, never what was sent.

    `state` is `accepted`, `applied`, `ended` (the conversation was over before) or `given-up` (the bot failed on it).
    `message` is `none`, `queued`, `late` (24 hours and more after the consumer's last one: not said), `routed`, `kept`
    (people talk there) or `dropped` (the bot was busy).
    """

    receipt: str
    state: str
    accepted_at: str
    variables: int
    message: str
    read_by: list[ReceiptReader]
    applied_at: str | msgspec.UnsetType = msgspec.UNSET


class OutboxEntry(Wire, frozen=True):
    """The consumer's own message as the outbox keeps it; readers add `id` and `at`."""

    sender: str = msgspec.field(name="from")
    type: str
    text: str
    client_id: str | msgspec.UnsetType = msgspec.UNSET


class BotListed(Wire, frozen=True):
    """A bot that the chat page may offer."""

    id: str
    name: str
    greeting: str
    version: str


class BotList(Wire, frozen=True):
    """All bots, by name."""

    bots: list[BotListed]


class TurnList(Wire, frozen=True):
    """What the turns after a turn did, oldest first."""

    turns: list[dict[str, Any]]


def iso(at_ms: int) -> str:
    """Return a moment as ISO 8601 in UTC with milliseconds: `2026-11-22T03:04:05.678Z`."""
    seconds, milliseconds = divmod(at_ms, 1000)
    return f"{_second(seconds)}.{milliseconds:03}Z"


@lru_cache(64)  # what is said now was said in the last few seconds
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat()


def turn_shown(trace: bytes) -> dict[str, Any]:
    """Return what a turn did with its moments, and those of a call's attempts, as every other time is written here."""
    turn = msgspec.json.decode(trace, type=dict[str, Any])
    calls = [line.get("values", {}) for line in turn.get("lines", []) if line["code"] == "outcome"]
    for dated in (turn, *(attempt for call in calls for attempt in call.get("attempts", []))):
        dated["at"] = iso(dated["at"])
    return turn


def message_json(sequence: int, at_ms: int, entry: bytes) -> msgspec.Raw:
    """Return an outbox entry as a `Message`: `id` and `at` before what was stored, which is not parsed again."""
    return msgspec.Raw(b'{"id":"%d","at":"%s",%s' % (sequence, iso(at_ms).encode(), entry.strip()[1:]))
