"""What a conversation remembers: the session, and what is known about its consumer.

A session is an immutable value; a turn makes a new one. Suspension (a question that waits, a call that runs) is data
here, never a coroutine.
"""

from typing import Any

import msgspec

from shared.dialog.events import Entity, Understood


class Conversation(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whose conversation this is: fixed when it is created, except the last two.

    `status` is `open`, `transferred` or `closed`; `asked` is the sequence of the last question put to the consumer, so
    that a tap accepted before it can be told from an answer to it (R15).
    """

    id: str
    bot_id: str
    user_id: str
    channel: str = "lp_web"
    engagement: dict[str, str] = {}
    customer_info: dict[str, Any] | None = None
    personal_info: dict[str, Any] | None = None
    account_id: str = ""
    status: str = "open"
    asked: int = 0


class Frame(msgspec.Struct, frozen=True, omit_defaults=True):
    """One dialog on the stack: which dialog, its last interaction shown, and its dialog-scope variables.

    `entities` are those of the text that started it and that no question has taken yet.
    """

    dialog_id: str
    interaction_id: str = ""
    variables: dict[str, Any] = {}
    entities: list[Entity] = []


class Position(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the conversation stands.

    `stack` has the running dialog last. `question` is the interaction that waits for an answer, `call` the one whose
    integration runs (`call_id`: `<conversationId>.<turn>`). `failures` counts what was not understood in a row at
    `failed_at` (a question's id, or empty), `transfer_failures` the transfers that came back. `offered` are the ids of
    the intents a disambiguation offers, `disambiguated` is the one chosen. The rest is the message scope: what the
    consumer last said, accepted at `since`.
    """

    stack: list[Frame] = []
    question: str | None = None
    call: str | None = None
    call_id: str | None = None
    chain: int = 0
    chain_across: int = 0
    text: str = ""
    payload: str | None = None
    payload_kind: str | None = None
    metadata: list[dict[str, Any]] = []
    starter_intent: str | None = None
    api_success: bool = False
    api_status: str | None = None
    long_text: bool = False
    understood: Understood = Understood()
    since: int = 0
    failures: int = 0
    failed_at: str = ""
    transfer_failures: int = 0
    offered: list[str] = []
    disambiguated: str | None = None


class Session(msgspec.Struct, frozen=True, omit_defaults=True):
    """Variables by scope, and the position. Values are JSON values.

    `receipts` maps the names of Web View variables to the receipts of the calls that set them.
    `results` holds the custom data fields of the last call of each integration (`Name.field`): cards show them after
    later messages too, so they outlive the message scope and keep their type.
    """

    version: str
    position: Position = Position()
    request: dict[str, Any] = {}
    session: dict[str, Any] = {}
    forever: dict[str, Any] = {}
    web_view: dict[str, str] = {}
    receipts: dict[str, str] = {}
    results: dict[str, Any] = {}
