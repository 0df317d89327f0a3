"""Texts with a meaning of their own, and the cutting of long ones (CB: reference/dialogs.md 2.9; R16)."""

import re

BLANK = "BLANK_MESSAGE"
CLOSE_DIALOG = "LP_CLOSEDIALOG"
CLOSE_CONVERSATION = "LP_CLOSECONVERSATION"
ESCALATION_FAILED = "__agent_escalation_failed__"
NOT_UNDERSTOOD = "Not able to understand your question. Can you please re-phrase it?"
NOT_AN_OPTION = "That's not what I was expecting, Please select from one of these options."
NO_TRANSFER = "Not able to transfer to Agent at this time. Please try later."
UPLOAD_FAILED = "file_upload_failed:"
NO_RESULT = "Sorry, I could not find anything for that."

_LIMIT = 1000
_BREAK = re.compile(r"tag::breakWithDelay=(\d{1,6})")
_SILENT = (BLANK, "LP_REMOVEBOT")
_PROFILE = re.compile(r"\s*SET_USER_PROFILE\s*\|")


def is_silent(text: str) -> bool:
    """Tell whether a text is shown to nobody: blank, BLANK_MESSAGE, or a command to the channel."""
    return not text.strip() or text.strip() in _SILENT or _PROFILE.match(text) is not None


def closing(text: str) -> bool | None:
    """Return whether a text closes the conversation, and with a survey (True) or not (False); None: it does not."""
    return {CLOSE_DIALOG: True, CLOSE_CONVERSATION: False}.get(text.strip())


def split(text: str, *, whole: bool) -> list[tuple[str, int]]:
    """Return the messages a text becomes, each with its delay in milliseconds (0: none of its own).

    `tag::breakWithDelay=ms` begins a new message; what is longer than 1,000 characters is cut at a blank, unless
    `whole` (setAllowMaxTextResponse).
    """
    pieces = _BREAK.split(text)
    found: list[tuple[str, int]] = []
    for at in range(0, len(pieces), 2):
        delay = min(int(pieces[at - 1]), 10_000) if at else 0
        for piece in [pieces[at]] if whole else _cut(pieces[at]):
            if piece.strip():
                found.append((piece.strip() if at or len(pieces) > 1 else piece, delay))
                delay = 0
    return found


def _cut(text: str) -> list[str]:
    parts: list[str] = []
    while len(text) > _LIMIT:
        blank = max(text.rfind(" ", 0, _LIMIT + 1), text.rfind("\n", 0, _LIMIT + 1))
        end = blank if blank > 0 else _LIMIT
        parts.append(text[:end].rstrip())
        text = text[end:].lstrip()
    return [*parts, text]
