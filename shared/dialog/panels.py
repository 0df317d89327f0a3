"""Run the code panels of interactions and integrations, and apply what they want (CB: reference/scripting.md 3).

A script changes nothing itself: it returns script effects, which are applied here, in order.
"""

from typing import assert_never
from zlib import crc32

import msgspec

from shared.bot.model import Interaction
from shared.dialog.content import coded_replies, spoken, with_replies
from shared.dialog.effects import Reply
from shared.dialog.scripts import (
    AddQuickReplies,
    AllowLongText,
    CustomEvent,
    Delay,
    FormRead,
    Log,
    Say,
    SayPrivately,
    ScriptEffect,
    ScriptOutcome,
    ScriptRef,
    ScriptState,
    SetContext,
    SetVariable,
    Stop,
    Trigger,
    Warn,
)
from shared.dialog.work import Work

_TURN_US = 5_000_000
_MAX_DELAY_MS = 10_000


class Panel:
    """What the panels of one interaction asked for, collected over pre- and post-process."""

    def __init__(self) -> None:
        self.triggers: list[str | None] = []
        self.delay_ms: int | None = None
        self.quick_replies: list[str] = []
        self.said: list[Reply] = []
        self._stopped = False

    def stop(self) -> None:
        """Take note of `sendImmediateReply`."""
        self._stopped = True

    def is_stopped(self) -> bool:
        """Tell whether the rest of the flow is not to be run."""
        return self._stopped

    @property
    def trigger(self) -> str | None:
        """The interaction the scripts want next: the last call wins."""
        return self.triggers[-1] if self.triggers else None


def run_panel(work: Work, owner: str, panel: str, source: str, into: Panel) -> None:
    """Run one script and apply its effects. Raises NeedContext when data has to be loaded first."""
    if not source.strip() and panel != "init":
        return
    work.ordinal += 1
    ref = ScriptRef(work.ordinal, owner, panel)
    if ref.key in work.abandon:
        work.warn(
            "script-stopped", owner, f"{_TITLES[panel]} was stopped by its limit in an earlier run: it has no effect"
        )
        return
    if work.script_us >= _TURN_US:
        work.warn("script-stopped", owner, f"{_TITLES[panel]} was not run: the scripts of this turn used 5 s of CPU")
        return
    outcome = work.scripts.run(ref, source, _state(work))
    work.script_us += outcome.us
    _trace_outcome(work, owner, panel, outcome)
    for effect in outcome.effects:
        _apply(work, owner, effect, into)


_TITLES = {
    "init": "__initConversation",
    "pre": "Pre-Process Code",
    "post": "Post-Process Code",
    "response": "Process User Response",
    "transform": "Transform Result Script",
    "global": "Global Functions",
}


def _trace_outcome(work: Work, owner: str, panel: str, outcome: ScriptOutcome) -> None:
    work.note("script", owner, _TITLES[panel], facts={"ms": round(outcome.us / 1000, 3)})
    if outcome.error is not None:
        code = "script-stopped" if outcome.stopped else "script-failed"
        where = f" at line {outcome.line}" if outcome.line else ""
        work.warn(
            code, owner, f"{_TITLES[panel]} ended{where}; what it did before counts", values={"error": outcome.error}
        )


def _state(work: Work) -> ScriptState:
    position, conversation = work.position, work.conversation
    chosen = work.bot.intent(position.disambiguated) if position.disambiguated else None
    variables = {**{k: v for k, v in work.results.items() if v is not None}, **work.variables.merged()}
    return ScriptState(
        now=work.now,
        seed=crc32(f"{conversation.id}.{work.turn}.{work.ordinal}".encode()),
        variables=variables,
        scopes=work.variables.scopes(),
        web_view=work.web_view,
        environment=work.bot.environment,
        text=position.text,
        payload=position.payload,
        quick_reply_payload=position.payload if position.payload_kind == "quick_reply" else None,
        button_payload=position.payload if position.payload_kind == "button" else None,
        metadata=position.metadata,
        starter_intent=position.starter_intent,
        entities=position.understood.entities,
        disambiguated_intent_name=chosen.name if chosen else None,
        disambiguated_intent_id=chosen.id if chosen else None,
        bot_id=conversation.bot_id,
        conversation_id=conversation.id,
        user_id=conversation.user_id,
        channel=conversation.channel,
        account_id=conversation.account_id,
        engagement=conversation.engagement,
        customer_info=conversation.customer_info,
        personal_info=conversation.personal_info,
        api_success=position.api_success,
        api_status=position.api_status,
        context=work.context,
    )


def _apply(work: Work, owner: str, effect: ScriptEffect, into: Panel) -> None:  # noqa: C901, PLR0912 one branch an effect
    match effect:
        case SetVariable(name, value, scope):
            work.set_variable(name, value, scope)
            work.note("variable", owner, f"{name} ({scope})", values={"value": value})
        case Say(text, quick_replies):
            into.said += _said(work, text, quick_replies)
        case SayPrivately(text):
            work.note("private-message", owner, values={"text": text})
        case AddQuickReplies(replies):
            into.quick_replies += replies
        case Trigger(interaction):
            into.triggers.append(interaction)
        case Delay(ms):
            into.delay_ms = min(max(ms, 0), _MAX_DELAY_MS)
        case AllowLongText(on):
            work.put(long_text=on)
        case Stop():
            into.stop()
        case Log(text):
            work.note("log", owner, values={"text": text})
        case CustomEvent(message, name, detail):
            work.note("custom-event", owner, values={"message": message, "name": name, "detail": detail})
        case SetContext():
            work.write_context(effect)
        case FormRead(name):
            work.receipts.read(name, owner)
        case Warn(code, note):
            work.warn(code, owner, note)
        case _:
            assert_never(effect)


def _said(work: Work, text: str, quick_replies: list[str]) -> list[Reply]:
    replies = spoken(work, text)
    hanging = coded_replies(quick_replies)
    if hanging is not None and replies:
        replies[-1] = msgspec.structs.replace(replies[-1], quick_replies=hanging)
    return replies


def send(
    work: Work,
    replies: list[Reply],
    interaction: Interaction | str,
    panel: Panel,
    *,
    delay_ms: int = 0,
    asks: bool = False,
) -> None:
    """Send messages in order; the last one asks, and the quick replies of `addQuickReplies` hang on it.

    The first one waits `delay_ms`; a delay set by a script replaces it and counts for all of them (CB:
    reference/scripting.md 1.8).
    """
    replies = with_replies(replies, coded_replies(panel.quick_replies))
    if panel.quick_replies and not replies:
        work.warn("refused", interaction, "quick replies of a script have no message to hang on: they are not shown")
    for at, reply in enumerate(replies):
        waits = panel.delay_ms if panel.delay_ms is not None else delay_ms if at == 0 else 0
        asking = asks and at == len(replies) - 1
        work.reply(msgspec.structs.replace(reply, delay_ms=reply.delay_ms or waits, asks=asking), interaction)
