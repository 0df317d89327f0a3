"""The export as Conversation Builder writes it (CB: reference/dialogs.md 1), decoded and not yet linked.

Only what is read is typed; what else stands there is tolerated (`shared.bot.unknown_keys` remembers it).
"""

from typing import Any

import msgspec

from shared.bot.export_rules import ResponseMatch
from shared.bot.export_tiles import Content, QuickReply


class _Part(msgspec.Struct, frozen=True, rename="camel"):
    """Keys are camelCase; a missing key has its default."""


class Message(_Part, frozen=True):
    """An interaction (`conversationMessage[]`)."""

    id: str
    group: str
    name: str
    interaction_type: str
    status: str = "ACTIVE"
    user_input_required: bool | None = None
    next_message_id: str | None = None
    prev_message_id: str | None = None
    content: Content = Content()
    response_matches: list[ResponseMatch] = []
    pattern: list[str] | None = None
    exclude_keywords: list[str] | None = None
    intent_id: str | None = None
    quick_replies: list[QuickReply] | None = None
    pre_process_message: str | None = None
    post_process_message: str | None = None
    process_user_response: str | None = None
    interaction_delay: str | int | None = None
    fallback_message: str | None = None
    fallback_response: str | None = None


class Group(_Part, frozen=True):
    """A dialog (`groups[]`)."""

    id: str
    name: str
    dialog_type: str = "DIALOG"
    status: str = "ENABLED"
    auto_escalation_threshold: int | str | None = None
    escalation_threshold: int | str | None = None


class KeyValue(_Part, frozen=True):
    """A header row, a query parameter, a custom data field, a default value."""

    key: str = ""
    value: str | int | float | bool | None = None


class Responder(_Part, frozen=True):
    """An integration (`responder[]`)."""

    id: str
    name: str
    integration_type: str = "API"
    response_data_variable: str | None = None
    webhook: str | None = None
    method: str | None = None
    headers: list[KeyValue] | None = None
    params: list[KeyValue] | None = None
    post_body: str | None = None
    custom_data_fields: list[KeyValue] | None = None
    transform_results_script: str | None = None


class GlobalFunctions(_Part, frozen=True):
    """The script every panel of the bot can call."""

    methods: str = ""


class BotPart(_Part, frozen=True):
    """The settings of the bot."""

    id: str
    name: str
    language: str = "en-US"
    session_length: int | str | None = 0
    get_started_button_payload: str | None = None
    default_error_message: str | None = None
    chat_bot_type: str = ""
    fallback_limit: int | str | None = None
    fallback_limit_message: str | None = None
    bot_attributes: dict[str, Any] = {}


class Intent(_Part, frozen=True):
    """An intent the bot refers to (`associatedIntents[]`); its phrases are not exported."""

    id: str = ""
    name: str = ""
    display_name: str = ""


class Export(_Part, frozen=True):
    """The whole file."""

    bot: BotPart
    groups: list[Group]
    conversation_message: list[Message]
    responder: list[Responder] = []
    global_functions: GlobalFunctions | None = None
    associated_intents: list[Intent] | None = None
