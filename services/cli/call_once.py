"""One call, made as the integration worker makes it and taken in as a turn takes it in, without a server."""

import asyncio
import time
from typing import Any

import msgspec
import structlog

from services.cli.call_values import Prepared
from services.cli.data_folder import USUAL
from services.integration_worker.call import Calls
from services.integration_worker.worker import build_exchanges
from services.settings import Settings
from shared.bot.model import Bot
from shared.credentials.token_store import OwnTokens
from shared.dialog.calls import take_outcome
from shared.dialog.events import CallOutcome, SentRequest
from shared.dialog.scripts import NeedContext
from shared.dialog.session import Session
from shared.dialog.trace import TraceLine
from shared.integration.client import OutboundClient
from shared.privacy.masking import masked, sensitive_values, written_values
from shared.privacy.naming import Sensitive, SensitiveOrSecret
from shared.queue.records import CallStarted
from shared.scripting.limits import Limits
from shared.scripting.runtime import QuickJsScripts
from shared.scripting.world import Worlds

_LOADS = 8


class Ran(msgspec.Struct, frozen=True):
    """What became of a call: its outcome, whether that counts as success, and what the bot made of it.

    `fields` are the custom data fields (`Name.field`), `lines` what the trace of the turn says.
    """

    outcome: CallOutcome
    succeeded: bool
    fields: dict[str, Any]
    lines: list[TraceLine]

    @property
    def script_failed(self) -> bool:
        """Whether the transform script or the Global Functions ended with an error, or were stopped."""
        return any(line.code in {"script-failed", "script-stopped"} for line in self.lines)


def be_quiet() -> None:
    """Drop the log lines of what workers do here: what is worth saying is on the terminal already."""
    structlog.configure(processors=[_drop])


def run_call(prepared: Prepared, settings: Settings) -> Ran:
    """Make the call and let the bot take in what it brought."""
    outcome = asyncio.run(_made(prepared, settings))
    return _taken_in(prepared, outcome, settings)


def scripts_of(bot: Bot, settings: Settings) -> QuickJsScripts:
    """Return what runs the bot's scripts, under the limits they have in production."""
    limits = Limits(script_seconds=settings.script_seconds)
    return QuickJsScripts(bot.global_functions, limits, worlds=Worlds(limits))


async def _made(prepared: Prepared, settings: Settings) -> CallOutcome:
    record = _Record(prepared)
    async with OutboundClient(settings.rewrite_urls) as client:
        closed = (*settings.closed_files, str(USUAL))
        by_hand = msgspec.structs.replace(settings, secret_commands=True, closed_files=closed)
        exchanges = build_exchanges(by_hand, client, None, OwnTokens())
        await Calls(record, _OneBot(prepared.bot), exchanges, show=True).call(prepared.call_id)
    if record.outcome is None:
        raise RuntimeError("the call ended without an outcome")
    return record.outcome


def _taken_in(prepared: Prepared, outcome: CallOutcome, settings: Settings) -> Ran:
    """Run the transform script and read the fields, with empty context data where scripts ask for any."""
    context: dict[str, dict[str, Any]] = {}
    abandon: frozenset[str] = frozenset()
    for _ in range(_LOADS):
        work = prepared.work(scripts_of(prepared.bot, settings), round(time.time() * 1000))
        work.context, work.abandon = dict(context), abandon
        try:
            _, succeeded = take_outcome(work, prepared.interaction, outcome)
        except NeedContext as need:
            context |= {key: {} for key in need.keys}
            abandon |= set(need.abandon)
            continue
        return _masked(Ran(outcome, succeeded, work.results, work.trace), prepared, work.session())
    raise RuntimeError("the transform script asks for context data again and again")


def _masked(ran: Ran, prepared: Prepared, after: Session) -> Ran:
    """Mask the values of sensitive variables, and of those called like secrets, wherever they stand."""
    hidden = SensitiveOrSecret(prepared.bot.sensitive)
    outcome = ran.outcome
    known = sensitive_values(hidden, outcome, (prepared.session, after), (prepared.bot.environment, prepared.values))
    *lines, fields = masked([*ran.lines, TraceLine("fields", values=ran.fields)], hidden, known)
    known += written_values(ran.lines, hidden)
    # What is called like a secret there is masked already, as far as it is to be.
    exchanged = {"body": outcome.body, "headers": outcome.headers, "request": outcome.request}
    [line] = masked([TraceLine("outcome", values=exchanged)], Sensitive(prepared.bot.sensitive), known)
    seen = msgspec.convert(line.values, _Exchanged)
    outcome = msgspec.structs.replace(outcome, body=seen.body, headers=seen.headers, request=seen.request)
    return Ran(outcome, ran.succeeded, fields.values, lines)


class _Exchanged(msgspec.Struct, frozen=True):
    """What was sent and received, as it may be shown."""

    body: str
    headers: dict[str, str]
    request: SentRequest | None


def _drop(*_: object) -> Any:
    raise structlog.DropEvent


class _OneBot:
    """The published bots, of which there is one."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot

    async def get(self, version: str) -> Bot:
        """Return the bot, whatever the version."""
        del version
        return self._bot


class _Record:
    """The record of the one call: what START, the attempts' ends and RESULT keep in Redis otherwise."""

    def __init__(self, prepared: Prepared) -> None:
        self.outcome: CallOutcome | None = None
        self._prepared = prepared
        self._attempts = 0
        self._ends_at: float | None = None

    async def start(self, call_id: str, claim: str) -> CallStarted:
        """Begin an attempt inside the call's budget."""
        del call_id, claim
        now = time.monotonic()
        if self._ends_at is None:
            self._ends_at = now + self._prepared.integration.policy.total_timeout
        left = round((self._ends_at - now) * 1000)
        if left <= 0:
            return CallStarted("late")
        self._attempts += 1
        return CallStarted(
            "go",
            attempts=self._attempts - 1,
            left_ms=left,
            integration_id=self._prepared.integration.id,
            version=self._prepared.bot.version,
            values=msgspec.msgpack.encode(self._prepared.values),
        )

    async def finish_attempt(self, call_id: str, claim: str, record: bytes) -> bool:
        """Let the next attempt come."""
        del call_id, claim, record
        return True

    async def result(self, call_id: str, outcome: bytes) -> bool:
        """Keep the outcome."""
        del call_id
        self.outcome = msgspec.json.decode(outcome, type=CallOutcome)
        return True
