"""The export as Conversation Builder writes it (CB: reference/dialogs.md 1), decoded and not yet linked.

Only what is read is typed; what else stands there is tolerated (`shared.bot.unknown_keys` remembers it).
"""

from typing import Any

import msgspec


class _Part(msgspec.Struct, frozen=True, rename="camel"):
    """Keys are camelCase; a missing key has its default."""


class Button(_Part, frozen=True):
    """A button of a BUTTON or STRUCTURED tile."""

    name: str = ""
    type: str = "postback"
    callback: str = ""
    target: str = ""
    metadata: Any = None


class MultipleChoice(_Part, frozen=True):
    """The choices of a MULTIPLE_CHOICE_QUESTION and how they are shown."""

    multiple_choices: list[str] = []
    display_choice: str = "BUTTON"
    text_style: str = ""


class UniversalWidget(_Part, frozen=True):
    """A card as JSON text with placeholders."""

    le_message_json: str = ""


class QuickReplyWidget(_Part, frozen=True):
    """How many quick replies stand in a row."""

    choices_per_row: int | str = 8


class Escalation(_Part, frozen=True):
    """Where an ESCALATION hands the conversation to."""

    agent_skill_id: str | int | None = None
    agent_id: str | int | None = None


class TileData(_Part, frozen=True):
    """One tile of an interaction's content."""

    text: str | None = None
    title: str | None = None
    sub_title: str | None = None
    image: str | None = None
    item_url: str | None = None
    url: str | None = None
    buttons: list[Button] = []
    multiple_choice: MultipleChoice | None = None
    quick_reply_widget: QuickReplyWidget | None = None
    universal_widget: UniversalWidget | None = None
    escalation: Escalation | None = None
    faq_tile_widget: Any = None
    list_picker: Any = None
    list_picker_widget: Any = None
    time_picker: Any = None
    time_picker_widget: Any = None
    file_upload: Any = None
    file_upload_widget: Any = None
    disambiguation: Any = None
    disambiguation_widget: Any = None


class Tile(_Part, frozen=True):
    """The tiles of an interaction."""

    tile_data: list[TileData] = []


class Results(_Part, frozen=True):
    """Static content."""

    type: str = ""
    tile: Tile = Tile()


class Content(_Part, frozen=True):
    """What an interaction shows, or the integration it calls."""

    content_type: str = "STATIC"
    results: Results | None = None
    responder_name: str | None = None
    responder_id: str | None = None


class QuickReply(_Part, frozen=True):
    """One quick reply of a QUICK_REPLY question."""

    type: str = "text"
    title: str = ""
    payload: str | None = None
    image: str | None = None
    metadata: Any = None


class PatternMatch(_Part, frozen=True):
    """`matchType: PATTERN`."""

    patterns: list[str] = []
    exclude_keywords: list[str] = []


class RegexMatch(_Part, frozen=True):
    """`matchType: REGEX`."""

    regex_text: str = ""
    exclude_keywords: list[str] = []


class ValueMatch(_Part, frozen=True):
    """`matchType: EVAL_OPTION` and `EXACT_VALUE`."""

    value: str = ""


class IntentMatch(_Part, frozen=True):
    """`matchType: INTENT`, as it may be spelled: no export seen has one."""

    intent_id: str | None = None
    id: str | None = None
    intent_name: str | None = None
    name: str | None = None
    value: str | None = None


class NoMatch(_Part, frozen=True):
    """`matchType: NO_MATCH`."""

    fallback_message: str | None = None


class StatusMatch(_Part, frozen=True):
    """`matchType: API_RESULT` and `KB_MATCH`."""

    status: str = ""


class Condition(_Part, frozen=True):
    """The main condition of a rule, with the spellings it may have (`shared.bot.conditions`)."""

    match_type: str
    pattern_match: PatternMatch | None = None
    regex_match: RegexMatch | None = None
    evaluate_option_match: ValueMatch | None = None
    eval_option_match: ValueMatch | None = None
    exact_value_match: ValueMatch | None = None
    exact_match: ValueMatch | None = None
    intent_match: IntentMatch | None = None
    response_intent_match: IntentMatch | None = None
    no_match: NoMatch | None = None
    api_results_match: StatusMatch | None = None
    api_result_match: StatusMatch | None = None
    kb_result_match: StatusMatch | None = None
    kb_match: StatusMatch | None = None


class ContextCondition(_Part, frozen=True):
    """A condition on a variable."""

    match_type: str
    context_name: str = ""
    value: str | None = None


class Action(_Part, frozen=True):
    """Where a rule leads: `name` says whether `value` is an interaction (or a word) or a dialog."""

    name: str = "INTERACTION"
    value: str = "next"


class ContextVariable(_Part, frozen=True):
    """A variable a rule sets when it fires."""

    name: str = ""
    value: str | None = None
    scope: str = "SESSION"


class ResponseMatch(_Part, frozen=True):
    """A rule; without conditions it is the default next action."""

    name: str = ""
    conditions: list[Condition] = []
    context_conditions: list[ContextCondition] = []
    context_match_condition_type: str = "ANY"
    action: Action = Action()
    context_data_variables: list[ContextVariable] = []


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
