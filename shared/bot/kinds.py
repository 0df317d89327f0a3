"""Kinds of interactions and dialogs (CB: reference/dialogs.md 1.3, 1.4.1).

Half of their names are known from exports, the others only from the documents: those are recognised by the words they
must contain, so that an export which spells one in another way still behaves.
"""

QUESTIONS = frozenset(
    [
        "TEXT_QUESTION",
        "QUICK_REPLY",
        "BUTTON",
        "MULTIPLE_CHOICE_QUESTION",
        "STRUCTURED",
        "UNIVERSAL",
        "LIST_PICKER",
        "TIME_PICKER",
        "FILE_UPLOAD",
        "SURVEY",
        "DISAMBIGUATION",
    ]
)
STATEMENTS = frozenset(
    [
        "DIALOG_STARTER",
        "TEXT",
        "IMAGE",
        "APPLE_RICHLINK",
        "PRIVATE_MESSAGE",
        "API_INTEGRATION",
        "KB_FAQ",
        "ORCHESTRATOR",
        "ESCALATION",
    ]
)
_INTERACTIONS = (
    ("DISAMBIG", "DISAMBIGUATION"),
    ("LISTPICKER", "LIST_PICKER"),
    ("TIMEPICKER", "TIME_PICKER"),
    ("RICHLINK", "APPLE_RICHLINK"),
    ("FILEUPLOAD", "FILE_UPLOAD"),
    ("PRIVATEMESSAGE", "PRIVATE_MESSAGE"),
    ("KBFAQ", "KB_FAQ"),
    ("KNOWLEDGE", "KB_FAQ"),
    ("ORCHESTRAT", "ORCHESTRATOR"),
    ("DYNAMICROUTING", "ORCHESTRATOR"),
    ("SURVEY", "SURVEY"),
    ("FCR", "SURVEY"),
    ("CSAT", "SURVEY"),
    ("NPS", "SURVEY"),
)
_DIALOGS = (
    ("FALLBACK", "FALLBACK_DIALOG"),
    ("DISAMBIG", "DISAMBIGUATION_DIALOG"),
    ("ESCALATION", "AUTO_ESCALATION_DIALOG"),
    ("SURVEY", "SURVEY_DIALOG"),
)


def interaction_kind(written: str) -> str:
    """Return the kind an `interactionType` stands for; one that nothing here knows stays as it is."""
    if written in QUESTIONS or written in STATEMENTS:
        return written
    return _known(_INTERACTIONS, written)


def dialog_kind(written: str) -> str:
    """Return the kind a `dialogType` stands for; one that nothing here knows stays as it is."""
    return _known(_DIALOGS, written)


def _known(words: tuple[tuple[str, str], ...], written: str) -> str:
    compact = written.upper().replace("_", "").replace(" ", "").replace("-", "")
    return next((kind for word, kind in words if word in compact), written)
