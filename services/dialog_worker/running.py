"""Running one turn: load what it needs, let a turn process answer, and run it again with what was missing."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
import structlog

from services.dialog_worker.conversation_context import read_context
from services.dialog_worker.parts import Parts
from services.dialog_worker.session_fields import read_session
from services.dialog_worker.turn_processes import Allowance, EngineFailure
from services.dialog_worker.understanding import understood
from services.dialog_worker.vault import OUTCOME
from services.dialog_worker.versions import VersionGone
from shared.dialog.events import CallOutcome, Event, WebViewCall
from shared.dialog.frames import Advance, Answer
from shared.dialog.scripts import MINTED
from shared.dialog.session import Conversation, Session
from shared.privacy.conversation_key import ConversationKey
from shared.privacy.forms import open_form
from shared.privacy.sealing import CannotOpen
from shared.queue.records import StoredEvent

LOADS = 8
MOST_RUNS = 40

_events: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What a turn is asked: an event, of which conversation, on top of which stored session and context data.

    `now` is Redis' time, in ms: later than the event's when that had to wait.
    `key` opens the event, if it is sealed; session and context are open here.
    """

    conversation: Conversation
    number: int
    event: StoredEvent
    session: Mapping[str, bytes]
    context: Mapping[str, bytes]
    now: int = 0
    key: ConversationKey | None = None


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """How the engine answered, on which version, in how many runs and ms; `session_ms` is set when a session began.

    `trip_ms` is `ms` with the way to the turn process and back, `script_ms` what the scripts had of it.
    """

    answer: Answer
    version: str
    runs: int
    ms: float
    trip_ms: float = 0
    script_ms: float = 0
    session_ms: int = 0


async def run_turn(parts: Parts, question: Question) -> Ran:
    """Run a turn on the session's version, or begin a new session on the newest one.

    A session begins when the event says so, when there is none, or when its version is gone. Raises EngineFailure;
    VersionGone when the bot is not published.
    """
    event = _event(question)
    session = None if question.event.new_session else read_session(question.session)
    if session is not None:
        try:
            event = await understood(parts, session.version, question.conversation, event)
            return await _run(parts, _request(parts, question, event, session), question.now)
        except VersionGone:
            pass
    bot_id, user_id = question.conversation.bot_id, question.conversation.user_id
    current, forever = await asyncio.gather(parts.versions.current(bot_id), parts.context.load_forever(bot_id, user_id))
    event = await understood(parts, current.version, question.conversation, event)
    event = msgspec.structs.replace(event, new_session=True)
    request = _request(parts, question, event, None)
    request = msgspec.structs.replace(request, version=current.version, forever=forever)
    return msgspec.structs.replace(await _run(parts, request, question.now), session_ms=current.session_ms)


def _event(question: Question) -> Event:
    """Return the event with what Redis gave it. Raises EngineFailure when it is none."""
    stored, key = question.event, question.key
    try:
        event = _events.decode(stored.body if key is None else key.open(stored.body, OUTCOME))
        if key is not None and isinstance(event, WebViewCall) and event.sealed:
            event = open_form(event, key)
    except msgspec.DecodeError as error:
        raise EngineFailure("a stored event cannot be decoded") from error
    except CannotOpen as error:
        raise EngineFailure(f"a stored event cannot be opened: {error}") from error
    given: dict[str, Any] = {"sequence": stored.sequence, "at": stored.at, "new_session": stored.new_session}
    if isinstance(event, WebViewCall):
        given["late"] = stored.late
    if not isinstance(event, CallOutcome):
        given["busy"] = stored.busy
    return msgspec.structs.replace(event, **given)


def _request(parts: Parts, question: Question, event: Event, session: Session | None) -> Advance:
    return Advance(
        version=session.version if session else "",
        conversation=question.conversation,
        session=session,
        event=event,
        turn=question.number,
        context=read_context(question.context),
        keep_values=parts.settings.console,
    )


async def _run(parts: Parts, request: Advance, now: int) -> Ran:
    """Run until nothing is missing: `LOADS` times data is loaded, then what is missing is given as empty."""

    async def blob() -> bytes:
        return await parts.versions.blob(request.version)

    structlog.contextvars.bind_contextvars(version=request.version[:12])
    if parts.looked_up is not None:
        domains = (await parts.versions.facts(request.version)).domains
        request = msgspec.structs.replace(request, environment=await parts.looked_up.variables(domains))
    runs, microseconds, script_us, trip = 0, 0, 0, 0.0
    allowance = Allowance()  # of the turn, not of one run
    while True:
        sent = time.perf_counter()
        answer = await _answer(parts, request, blob, allowance)
        trip += time.perf_counter() - sent
        runs, microseconds, script_us = runs + 1, microseconds + answer.us, script_us + answer.script_us
        if not answer.need:
            return Ran(
                answer=answer,
                version=request.version,
                runs=runs,
                ms=microseconds / 1000,
                trip_ms=trip * 1000,
                script_ms=script_us / 1000,
            )
        if runs == MOST_RUNS:
            raise EngineFailure(f"after {runs} runs the turn still asks for context data that was not loaded")
        loaded: dict[str, dict[str, Any]] = {key: {} for key in answer.need}
        if runs <= LOADS:
            loaded |= await _load(parts, answer.need, request, now)
        abandon = list(dict.fromkeys([*request.abandon, *answer.abandon]))
        request = msgspec.structs.replace(request, context=request.context | loaded, abandon=abandon)


async def _load(parts: Parts, wanted: list[str], request: Advance, now: int) -> dict[str, dict[str, Any]]:
    """Load context data, and make the tokens for forms that scripts ask for like them."""
    conversation = request.conversation
    tokens = {key for key in wanted if key.startswith(MINTED)}
    made = {key: parts.form_tokens.made(key, conversation, max(now, request.event.at)) for key in tokens}
    data = [key for key in wanted if key not in tokens]
    if not data:
        return made
    return made | await parts.context.load(data, conversation.user_id, conversation.bot_id)


async def _answer(parts: Parts, request: Advance, blob: Callable[[], Awaitable[bytes]], allowance: Allowance) -> Answer:
    answer = await parts.processes.advance(request, blob, allowance)
    if answer.error is not None:
        raise EngineFailure(answer.error)
    return answer
