"""What the consumer said and tapped (CB: reference/scripting.md 1.4)."""

from collections.abc import Callable
from typing import Any

Scene = Callable[..., Any]

METADATA = [{"type": "ExternalId", "id": "x"}, {"type": "Other"}, {"type": "ExternalId", "id": "y"}]


def test_get_current_user_message_gives_the_last_text(scene: Scene) -> None:
    assert scene(text="hello there").logs("botContext.getCurrentUserMessage()") == "hello there"


def test_get_quick_reply_payload_gives_the_payload_of_the_tapped_quick_reply(scene: Scene) -> None:
    assert scene(quick_reply_payload="qr").logs("botContext.getQuickReplyPayload()") == "qr"


def test_get_button_payload_gives_the_callback_of_the_tapped_button(scene: Scene) -> None:
    assert scene(button_payload="bp").logs("botContext.getButtonPayload()") == "bp"


def test_payloads_are_null_when_nothing_was_tapped(scene: Scene) -> None:
    assert (
        scene().logs("botContext.getQuickReplyPayload() === null && botContext.getButtonPayload() === null") == "true"
    )


def test_get_metadata_gives_the_entries_of_a_type_in_order(scene: Scene) -> None:
    turn = scene(metadata=METADATA)
    assert turn.logs("botContext.getMetadata('ExternalId').length") == "2"
    assert turn.logs("botContext.getMetadata('ExternalId')[1].id") == "y"


def test_metadata_can_be_read_like_the_first_entry_itself(scene: Scene) -> None:
    turn = scene(metadata=METADATA)
    assert turn.logs("botContext.getMetadata('ExternalId').id") == "x"
    assert turn.logs("JSON.stringify(botContext.getMetadata('Other'))") == '[{"type":"Other"}]'


def test_get_metadata_of_a_missing_type_gives_null(scene: Scene) -> None:
    assert scene(metadata=METADATA).logs("botContext.getMetadata('nothing') === null") == "true"
