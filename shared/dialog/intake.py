"""Taking in what happened: which texts the bot handles (CB: reference/dialogs.md 2.2, 2.8; R15, R21)."""

from shared.dialog.effects import Reopen, Reply
from shared.dialog.events import ConsumerMessage, WebViewCall
from shared.dialog.texts import ESCALATION_FAILED, NO_TRANSFER, is_silent
from shared.dialog.work import Work

_ONE_AT_A_TIME = "system_handleIntermediateUserMessage"
_ANSWER = "system_intermediateBotMessage"
_TIMEOUT = "system_intermediateBotResponseTimeout"
_FORMS_TOO = "system_processWebviewIntermediateMessage"
_TIMEOUT_MS = 15_000
_TRANSFERS = 3
_RESETS = frozenset({"reset", "reset session"})
_WHO = frozenset({"display userid", "/d"})


def take_message(work: Work, event: ConsumerMessage) -> bool:
    """Note a message and open its message scope; tell whether it is to be routed."""
    work.note("event", "", "a message from the consumer", values={"text": event.text, "payload": event.payload})
    if not _is_handled(work, event.text):
        return False
    if event.payload is not None and work.position.question and event.sequence < work.conversation.asked:
        work.warn("stale-control", "", "a control of an earlier question was tapped: the tap is dropped (R15)")
        return False
    if _interrupts(work, event):
        return False
    if work.bot.debug_commands and event.payload is None and _is_command(work, event.text.strip().casefold()):
        return False
    work.begin_message(event)
    return True


def take_web_view(work: Work, event: WebViewCall) -> bool:
    """Note what a form posted; tell whether it brings a message to be routed."""
    work.note("event", "", "a web view call", facts={"variables": len(event.variables)}, values=event.variables)
    work.keep_form(event.variables, event.receipt)
    work.receipts.note(event.receipt, "applied")
    if event.message is None:
        return False
    work.note("event", "", "its message", values={"message": event.message})
    if event.late:
        work.warn("late", "", "its message came more than 24 hours after the consumer's last one: it is not routed")
        return False
    became = "routed"
    if not _is_handled(work, event.message):
        became = "kept"
    elif work.bot.environment.get(_FORMS_TOO, "").lower() != "true" and _interrupts(work, event):
        became = "dropped"
    work.receipts.note(event.receipt, became)
    if became != "routed":
        return False
    work.begin_message(event)
    return True


def _is_handled(work: Work, text: str) -> bool:
    """Tell whether the bot handles a message; a transferred conversation comes back when the transfer failed (R21)."""
    status = work.conversation.status
    if status == "open":
        return True
    if status != "transferred" or text.strip() != ESCALATION_FAILED:
        work.note("kept", "", f"the conversation is {status}: the message is kept, not routed")
        return False
    work.do(Reopen())
    work.put(transfer_failures=work.position.transfer_failures + 1)
    if work.position.transfer_failures <= _TRANSFERS:
        return True
    work.warn("transfer-failed", "", f"more than {_TRANSFERS} transfers failed: the bot is not asked again")
    work.reply(Reply(text=work.bot.default_error or NO_TRANSFER))
    return False


def _interrupts(work: Work, event: ConsumerMessage | WebViewCall) -> bool:
    """Tell whether a message came while an earlier one was handled, in a bot that wants such messages dropped.

    An answer to the question that waits is none, nor is what comes when the time the bot allows itself is over.
    """
    environment, position = work.bot.environment, work.position
    if environment.get(_ONE_AT_A_TIME, "").lower() != "true":
        return False
    early = event.sequence < work.conversation.asked if position.question else event.busy
    if not early or event.at - position.since > _milliseconds(environment.get(_TIMEOUT, "")):
        return False
    work.warn("dropped", "", f"a message that came while the bot was busy is dropped: {_ONE_AT_A_TIME} (R15)")
    answer = environment.get(_ANSWER, "")
    if not is_silent(answer):
        work.reply(Reply(text=answer))
    return True


def _milliseconds(text: str) -> int:
    return int(text) if text.strip().isdecimal() else _TIMEOUT_MS


def _is_command(work: Work, said: str) -> bool:
    """Carry out what the people who debug a bot may say (CB: `ENABLE_DEBUG`)."""
    if said in _RESETS:
        work.note("command", "", "the session begins anew")
        work.reset()
        work.reply(Reply(text="The session was reset."))
        return True
    if said in _WHO:
        work.note("command", "", "the consumer's id is shown")
        work.reply(Reply(text=work.conversation.user_id))
        return True
    return False
