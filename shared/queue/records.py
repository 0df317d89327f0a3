"""What the mailbox takes and gives. Times are milliseconds since the epoch by Redis' clock."""

from typing import Any

import msgspec


class NewConversation(msgspec.Struct, frozen=True):
    """What CREATE writes. `id` comes from the caller, so that a repeat is answered alike.

    `profile` is opaque to the mailbox (msgpack of `Profile`); `channel_key` is the name
    of the key that created it, empty for anonymous consumers. `seal` is the conversation's own key, sealed; empty when
    its bot names nothing sensitive.
    """

    id: str
    bot_id: str
    user_id: str
    channel: str
    profile: bytes = b""
    channel_key: str = ""
    session_ms: int = 3_600_000
    seal: bytes = b""


class Profile(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a channel said of the consumer: msgpack in `NewConversation.profile` and `Batch.profile`."""

    engagement: dict[str, str] = {}
    customer_info: dict[str, Any] | None = None
    personal_info: dict[str, Any] | None = None


class About(msgspec.Struct, frozen=True):
    """What the gateway needs to know of a conversation before it lets somebody in; `seal` as in NewConversation."""

    id: str
    bot_id: str
    user_id: str
    channel_key: str
    status: str
    created_at: int
    seal: bytes = b""


class WebViewTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What a Web View call has to keep to, and what is noted of it.

    `rate` is how many a conversation takes in a minute. `receipt` is the id under which its owner may ask what became
    of it (`keys.new_receipt_id`; the event names it too), `variables` how many it brings. A capability ends at `till`
    (ms, 0: never) and, if it has a `once`, with its first use; the same call again is answered alike. `origin` is
    given when the call is authorized by the checksum of this bot: "" for one that names none.
    """

    rate: int = 1_000_000
    receipt: str = ""
    variables: int = 0
    till: int = 0
    once: str = ""
    bot_id: str = ""
    origin: str | None = None


class Ingested(msgspec.Struct, frozen=True):
    """How INGEST answered: `accepted`, `duplicate` (the first answer again), `gone`, `closed` or `full`.

    `late` is true for a Web View message that came more than 24 hours after the consumer's last one. Web View calls
    may also be refused as `expired`, `used` (up) or `often` (`at` says in how many ms the next one may come);
    `receipt` is theirs.
    """

    outcome: str
    sequence: int = 0
    at: int = 0
    late: bool = False
    receipt: str = ""


class StoredEvent(msgspec.Struct, frozen=True):
    """One entry of the inbox, or the stored result of a call. `kind` is `message`, `web_view` or `outcome`.

    `busy` says that the conversation was not idle when it was accepted (R15).
    """

    kind: str
    sequence: int
    at: int
    new_session: bool
    late: bool
    body: bytes
    busy: bool = False


class Batch(msgspec.Struct, frozen=True):
    """What BEGIN hands to the new owner of a conversation.

    `result` is served before `events` and comes alone. `session` holds the fields of the session hash (empty when it
    has none: then the first event carries `new_session`), `context` the conversation's context data that have not
    expired. `writes` is what a dead owner left (stamped, for `context.apply`): it comes alone, and RELEASE gives the
    next events after it was applied. `tries` counts this BEGIN; above 1 there is one event. `now` is Redis' time.
    `seal` is as in NewConversation.
    """

    fence: str
    bot_id: str
    user_id: str
    channel: str
    profile: bytes
    status: str
    turn: int
    tries: int
    asked: int
    session: dict[str, bytes]
    context: dict[str, bytes]
    events: list[StoredEvent]
    result: StoredEvent | None = None
    writes: list[bytes] = []
    now: int = 0
    seal: bytes = b""


class NotBegun(msgspec.Struct, frozen=True):
    """Why BEGIN handed out nothing: `busy` (lease alive), `idle`, `waiting` (for a call) or `gone`."""

    reason: str


class CallRecord(msgspec.Struct, frozen=True):
    """A call to be made: COMMIT writes it to `call:{sN}:<id>` and enqueues its job. `values` is msgpack."""

    id: str
    integration_id: str
    version: str
    values: bytes
    queue_ms: int
    budget_ms: int


class DeadEvent(msgspec.Struct, frozen=True):
    """An event given up: `reason` is one word (`engine`, `lost-leases`, `closed`), `note` a sentence without values."""

    reason: str
    kind: str
    body: bytes
    note: str = ""


class ContextField(msgspec.Struct, frozen=True):
    """A write to the conversation's own context hash; `value` None deletes, `expires_at` 0 never expires."""

    field: str
    value: bytes | None
    expires_at: int = 0


class Commit(msgspec.Struct, frozen=True, kw_only=True):
    """Everything one turn changes, stored by one script if `fence` still owns the conversation.

    `consumed` counts events taken from the inbox, `consumed_result` says the stored result was handled. `session`
    holds the fields to set and `session_remove` those to drop; both empty leaves the session untouched. `replies`
    are outbox entries (JSON objects without id and time). `session_ms` is the session length to store, 0 to keep.
    `writes` go to other slots (`context.write`). `turns` counts the turns it stands for; the new turn number is the
    one in `trace` and in `call.id`. `receipts` are facts of Web View calls: (receipt, fact).
    """

    fence: str
    next_fence: str
    consumed: int = 0
    consumed_result: bool = False
    session: dict[str, bytes] = {}
    session_remove: list[str] = []
    replies: list[bytes] = []
    asks: bool = False
    status: str = ""
    call: CallRecord | None = None
    writes: list[bytes] = []
    context: list[ContextField] = []
    trace: bytes = b""
    dead: list[DeadEvent] = []
    session_ms: int = 0
    turns: int = 1
    receipts: list[tuple[str, str]] = []


class Committed(msgspec.Struct, frozen=True):
    """How COMMIT or RELEASE answered.

    `state` is `idle`, `waiting`, `queued` (handed back after 8 batches), `running` (the next events are here,
    owned by `next_fence`), `writes` (owned by `next_fence`: apply `writes`, then RELEASE), `refused` (somebody else
    owns it) or `gone`. `asked` and `turn` are as in `Batch`, after the commit.
    """

    state: str
    asked: int = 0
    turn: int = 0
    events: list[StoredEvent] = []
    result: StoredEvent | None = None
    writes: list[bytes] = []


class CallStarted(msgspec.Struct, frozen=True):
    """How START answered: go on (`outcome` `go`) with `attempts` made before this one and `left_ms` of the budget.

    Otherwise `outcome` is `refused` (not awaited any more), `late` (deadline over) or `gone`. `interrupted` says an
    earlier attempt was begun and never ended: its worker died in mid-call. `ended` holds what `finish_attempt`
    recorded of the attempts before. `seal` is as in NewConversation.
    """

    outcome: str
    attempts: int = 0
    left_ms: int = 0
    integration_id: str = ""
    version: str = ""
    values: bytes = b""
    interrupted: bool = False
    ended: list[bytes] = []
    seal: bytes = b""


class Told(msgspec.Struct, frozen=True):
    """What is published on `notify:{sN}`: a conversation, and what was posted after the message with sequence `after`.

    `after` None: something happened, read the outbox. Messages are as in `OutboxPage`.
    """

    conversation_id: str
    after: int | None = None
    messages: list[tuple[int, int, bytes]] = []


class Forgotten(msgspec.Struct, frozen=True):
    """What FORGET removed: the keys that were there. `was_there` is false when the conversation had expired.

    `writes` were committed and may not have been applied yet: their owner may do so later (`Batch.writes`).
    """

    was_there: bool
    keys: list[str]
    writes: list[bytes] = []


class OutboxPage(msgspec.Struct, frozen=True):
    """Messages after a cursor: (sequence, accepted at, JSON object), `gap` when older ones were trimmed."""

    messages: list[tuple[int, int, bytes]]
    cursor: int
    gap: bool = False
    status: str = "open"
