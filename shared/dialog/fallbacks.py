"""What happens to a text nobody understood (CB: reference/dialogs.md 2.5).

In this order: a survey bot gives up after so many; the auto-escalation dialog takes over after its threshold; a
question's own text; the fallback dialog; the built-in text. Then the question, if there is one, is asked again.
"""

from shared.bot.model import Dialog, Interaction
from shared.dialog.content import spoken
from shared.dialog.effects import Reply
from shared.dialog.panels import Panel, send
from shared.dialog.resolve import Resolver
from shared.dialog.stack import complete, enter
from shared.dialog.texts import NOT_UNDERSTOOD
from shared.dialog.work import Work

_TEXTS = frozenset({"DIALOG_STARTER", "TEXT", "IMAGE", "APPLE_RICHLINK", "PRIVATE_MESSAGE"})


def fall_back(work: Work, question: Interaction | None) -> str | None:
    """Say that nothing matched, then come back to the question if there is one."""
    failures = _failures(work, question)
    if work.bot.survey is not None:
        if question is None:
            return _begin_survey(work)
        if failures >= work.bot.survey.limit:
            return _give_up(work, question, work.bot.survey.message)
    escalation = _escalation(work)
    if escalation is not None and failures >= escalation.threshold:
        work.note("fallback", question or "", f"dialog {escalation.name}, after {failures} failures in a row")
        work.put(failures=0)
        return enter(work, escalation)
    dialog = work.bot.fallback
    if question is not None and question.fallback is not None:
        work.note("fallback", question, "its own fallback text")
        send(work, spoken(work, Resolver(work, question).text(question.fallback)), question, Panel())
    elif dialog is not None and dialog.first is not None:
        work.note("fallback", "", f"dialog {dialog.name}")
        work.put(failures=failures + int(_only_talks(work, dialog)))
        return enter(work, dialog)
    else:
        work.note("fallback", question or "", "the built-in text")
        work.reply(Reply(text=NOT_UNDERSTOOD), question or "")
    work.put(failures=failures + 1)
    return _again(work, question)


def count_failed_call(work: Work) -> None:
    """Count a call of the fallback dialog that failed and that no rule handles: the consumer got no help."""
    running = work.bot.dialogs.get(work.stack[-1].dialog_id) if work.stack else None
    if running is not None and running.kind == "FALLBACK_DIALOG":
        work.put(failures=work.position.failures + 1)


def _failures(work: Work, question: Interaction | None) -> int:
    """Return how many failures in a row there were at this place, and make it the place that is counted."""
    place = question.id if question is not None else ""
    if place != work.position.failed_at:
        work.put(failures=0, failed_at=place)
    return work.position.failures


def _again(work: Work, question: Interaction | None) -> str | None:
    if question is None:
        return complete(work)
    work.put(question=None)
    return question.id


def _escalation(work: Work) -> Dialog | None:
    """Return the auto-escalation dialog, unless it is running: it does not escalate itself."""
    dialog = work.bot.special("AUTO_ESCALATION_DIALOG")
    running = dialog is not None and any(frame.dialog_id == dialog.id for frame in work.stack)
    return None if running else dialog


def _only_talks(work: Work, dialog: Dialog) -> bool:
    parts = [work.bot.interactions[one] for one in dialog.interactions]
    return all(part.kind in _TEXTS for part in parts if part.enabled)


def _begin_survey(work: Work) -> str | None:
    dialog = work.bot.special("SURVEY_DIALOG")
    if dialog is not None:
        work.note("starter", dialog.starter or "", f"dialog {dialog.name}: a survey bot begins with its survey")
        return enter(work, dialog)
    work.reply(Reply(text=NOT_UNDERSTOOD))
    return complete(work)


def _give_up(work: Work, question: Interaction, message: str) -> str | None:
    work.note("fallback", question, "the survey ends: too many answers were not understood")
    send(work, spoken(work, message), question, Panel())
    work.close(question, survey=False)
    return None
