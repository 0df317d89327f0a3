"""Kinds whose names no export shows are known by the words they must contain (CB: reference/dialogs.md 1.3, 1.4.1)."""

import pytest

from shared.bot.kinds import QUESTIONS, STATEMENTS, dialog_kind, interaction_kind


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("APPLE_LIST_PICKER", "LIST_PICKER"),
        ("TimePicker", "TIME_PICKER"),
        ("APPLE_RICH_LINK", "APPLE_RICHLINK"),
        ("FILE_UPLOAD_INTERACTION", "FILE_UPLOAD"),
        ("PRIVATE_TEXT_MESSAGE", "PRIVATE_TEXT_MESSAGE"),
        ("SEND_PRIVATE_MESSAGE", "PRIVATE_MESSAGE"),
        ("KNOWLEDGE_AI", "KB_FAQ"),
        ("DYNAMIC_ROUTING", "ORCHESTRATOR"),
        ("INTENT_DISAMBIGUATION", "DISAMBIGUATION"),
        ("SURVEY_NPS_QUESTION", "SURVEY"),
        ("FCR", "SURVEY"),
        ("SECURE_FORM", "SECURE_FORM"),
    ],
)
def test_a_kind_is_known_by_the_words_in_its_name(written: str, kind: str) -> None:
    assert interaction_kind(written) == kind


@pytest.mark.parametrize("written", sorted(QUESTIONS | STATEMENTS))
def test_a_known_kind_stays_as_it_is_written(written: str) -> None:
    assert interaction_kind(written) == written


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("DIALOG", "DIALOG"),
        ("FALLBACK_DIALOG", "FALLBACK_DIALOG"),
        ("DISAMBIGUATION", "DISAMBIGUATION_DIALOG"),
        ("AUTOESCALATION", "AUTO_ESCALATION_DIALOG"),
        ("AUTO_ESCALATION_DIALOG", "AUTO_ESCALATION_DIALOG"),
        ("SURVEY_DIALOG", "SURVEY_DIALOG"),
        ("MOON_DIALOG", "MOON_DIALOG"),
    ],
)
def test_a_dialog_is_known_by_the_words_in_its_type(written: str, kind: str) -> None:
    assert dialog_kind(written) == kind
