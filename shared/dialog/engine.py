"""The engine: one event, one turn.

    advance(bot, session, event, scripts, abandon, conversation=…, turn=…) -> Turn(session, effects, trace)

The law of this package:

1. A turn is a function of its arguments. Nothing here reads a clock, a file, a socket or a random number, logs, or
   waits; time is the event's. The same arguments give the same result (limits of scripts apart), so a turn may be
   run again: after a crash, after missing data was loaded, after a script had to be killed.
2. A session that comes in is never changed; a new one goes out. What the turn wants done goes out as effects.
3. A turn ends where the conversation has to wait: at a question (the consumer answers), at a call (the integration
   answers), or when there is nothing left to say. What it waits for is data in `Position`.
4. Bots are wrong in many ways, and none of them is a crash: unknown names, dangling ids, scripts that throw, content
   that is no JSON are traced and the flow takes the next step it can (R4, R18). An exception that leaves `advance`,
   except `NeedContext`, is a fault of the engine.
"""

from typing import Any, NamedTuple, assert_never

from shared.bot.model import Bot
from shared.dialog.calls import take_outcome
from shared.dialog.effects import Effect
from shared.dialog.events import CallOutcome, ConsumerMessage, Event, WebViewCall
from shared.dialog.flow import after_call, route, run
from shared.dialog.intake import take_message, take_web_view
from shared.dialog.matching import Outcome
from shared.dialog.panels import Panel, run_panel, send
from shared.dialog.scripts import Scripts
from shared.dialog.session import Conversation, Session
from shared.dialog.trace import TraceLine
from shared.dialog.variables import as_texts
from shared.dialog.work import Work


class Turn(NamedTuple):
    """What a turn made: the session after it, what it wants done, and what it did."""

    session: Session
    effects: list[Effect]
    trace: list[TraceLine]


def advance(  # noqa: PLR0913 the contract of the engine: everything a turn depends on
    bot: Bot,
    session: Session | None,
    event: Event,
    scripts: Scripts,
    abandon: frozenset[str] = frozenset(),
    *,
    conversation: Conversation,
    turn: int,
    forever: dict[str, Any] | None = None,
    context: dict[str, dict[str, Any]] | None = None,
) -> Turn:
    """Handle one event.

    `session` None begins a new session, whose forever variables are `forever`. `context` is the context data loaded
    so far, `abandon` the keys of scripts that must not run (`shared.dialog.scripts`). Raises `NeedContext`.
    """
    begins = session is None
    if session is None:
        kept = forever or {}
        session = Session(version=bot.version, forever=kept if bot.keep_types else as_texts(kept))
    work = Work(bot, session, conversation, scripts, abandon, turn)
    work.now = event.at
    work.context = {key: dict(space) for key, space in (context or {}).items()}
    routed = _take_in(work, event)
    if begins or work.was_reset:
        _begin_session(work)
    if isinstance(event, CallOutcome):
        _take_outcome(work, event)
    elif routed and not work.is_closed:
        run(work, route(work))
    if work.is_closed:
        work.clear_stack()
    return Turn(work.session(), [*work.effects, *work.receipts.facts], work.trace)


def _take_in(work: Work, event: Event) -> bool:
    """Note the event and open its message scope, in which a new session begins; tell whether its text is routed."""
    match event:
        case ConsumerMessage():
            return take_message(work, event)
        case WebViewCall():
            return take_web_view(work, event)
        case CallOutcome():
            return False
        case _:
            assert_never(event)


def _begin_session(work: Work) -> None:
    """Run `__initConversation` (CB: reference/scripting.md 2)."""
    work.note("session", "", "a new session begins")
    if "__initConversation" not in work.bot.global_functions:
        return
    panel = Panel()
    run_panel(work, "Global Functions", "init", "", panel)
    if work.conversation.status == "open":  # in the others people talk, or nobody (R21)
        send(work, panel.said, "", panel)


def _take_outcome(work: Work, event: CallOutcome) -> None:
    interaction = work.bot.interactions.get(work.position.call or "")
    if interaction is None or work.position.call_id != event.call_id:
        work.warn("stale-outcome", "", "the outcome of a call that nobody waits for any more is dropped")
        return
    panel, succeeded = take_outcome(work, interaction, event)
    run(work, after_call(work, interaction, panel, Outcome(succeeded=succeeded)))
