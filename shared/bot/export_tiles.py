"""What an interaction of an export shows: tiles, widgets, quick replies (CB: reference/dialogs.md 1.4)."""

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
