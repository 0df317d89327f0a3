"""The stack of dialogs (CB: reference/dialogs.md 2.6): the running dialog is last.

A *switch* (a starter matched, the fallback) interrupts the running dialog: when the new one completes, the question
that was interrupted is asked again. A *jump* (a rule, a script) goes on elsewhere: into a dialog that is on the stack
it goes back, leaving those above; into another it goes down one level. The fallback and the disambiguation dialog are
never returned to, and a dialog that jumped away from a statement has nothing left to say: only a question is repeated.
"""

from shared.bot.model import Dialog, Interaction
from shared.dialog.session import Frame
from shared.dialog.work import OpenFrame, Work

_PASSING = frozenset({"FALLBACK_DIALOG", "DISAMBIGUATION_DIALOG"})


def enter(work: Work, dialog: Dialog) -> str | None:
    """Interrupt the running dialog with another; return its first interaction."""
    kept = [frame for frame in work.stack if frame.dialog_id != dialog.id and not _is_passing(work, frame)]
    work.stack = [*kept, OpenFrame(Frame(dialog.id))]
    work.enter_frame()
    work.put(question=None)
    return dialog.first


def jump(work: Work, target: Interaction) -> str | None:
    """Go on at an interaction, in whatever dialog it is; None when the limit across dialogs is reached."""
    if work.stack and work.stack[-1].dialog_id == target.dialog_id:
        return target.id
    if work.position.chain_across >= work.bot.limits.chain_across:
        work.warn("chain-limit", target, f"the flow was stopped after {work.position.chain_across} changes of dialog")
        work.clear_stack()
        return None
    work.put(chain=0, chain_across=work.position.chain_across + 1)
    entities = work.stack[-1].entities if work.stack else []
    if work.stack and _is_passing(work, work.stack[-1]):
        work.stack.pop()
    places = [at for at, frame in enumerate(work.stack) if frame.dialog_id == target.dialog_id]
    if places:
        work.stack = work.stack[: places[-1] + 1]
    else:
        work.stack.append(OpenFrame(Frame(target.dialog_id, entities=entities)))
    work.enter_frame()
    return target.id


def complete(work: Work) -> str | None:
    """End the running dialog; return the interrupted question below it, which is asked again."""
    if work.stack:
        work.stack.pop()
    _, skip = work.variables.get("skipPreviousDialog")
    if skip in (True, "true"):
        work.stack = []
    while work.stack:
        last = work.bot.interactions.get(work.stack[-1].interaction_id)
        if last is not None and last.asks:
            work.note("return", last, f"back to the dialog {work.bot.dialogs[last.dialog_id].name}")
            work.enter_frame()
            return last.id
        work.stack.pop()
    work.clear_stack()
    return None


def _is_passing(work: Work, frame: OpenFrame) -> bool:
    dialog = work.bot.dialogs.get(frame.dialog_id)
    return dialog is not None and dialog.kind in _PASSING
