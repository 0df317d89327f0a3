"""To the dialogs a consumer's text starts: by pattern, by intent, or by asking which (CB: reference/dialogs.md 2.4)."""

from shared.bot.model import Dialog
from shared.dialog.disambiguation import offer
from shared.dialog.matching import match_starter
from shared.dialog.stack import enter
from shared.dialog.work import Work


def to_starter(work: Work) -> str | None:
    """Enter the dialog whose starter matches, else the disambiguation; None when neither does."""
    found = match_starter(work)
    if found is None:
        return offer(work)
    return start(work, found.dialog, found.why, found.intent)


def start(work: Work, dialog: Dialog, why: str, intent: str | None) -> str | None:
    """Enter a dialog; the entities of the text may answer its questions."""
    work.note("starter", dialog.starter or "", f"dialog {dialog.name}, {why}")
    here = enter(work, dialog)
    work.stack[-1].entities = list(work.position.understood.entities)
    work.put(starter_intent=intent, failures=0, failed_at="", offered=[])
    return here
