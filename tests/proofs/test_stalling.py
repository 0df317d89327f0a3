"""No pattern and no regular expression can stall a turn: through the rules of a question, here and in a turn process.

An expression answers or is stopped; how long that takes is bounded generously, since the machine may be busy.
"""

import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
import pytest

from services.dialog_worker.turn_processes import TurnProcesses
from shared.bot.patterns import compile_pattern
from shared.bot.source import BotSource
from shared.dialog.events import ConsumerMessage
from shared.dialog.frames import Advance, Answer
from shared.dialog.session import Conversation, Session
from tests.proofs.form import LONG, Record, record_figures
from tests.proofs.nasty import ADVERSARIES, EXPRESSIONS, PATTERNS
from tests.unit.dialog.bots import BOT_ID, compiled, dialog, export, finds, go, question, says, starter, text
from tests.unit.dialog.talk import Talk

# Seconds of CPU: an expression is stopped after 50 ms of wall time; a pattern needs a few milliseconds.
ANSWERS_WITHIN = 1.0
MATCHES_WITHIN = 0.5
TEXTS = ADVERSARIES if LONG else ADVERSARIES[:9]
pytestmark = [pytest.mark.proof, pytest.mark.timeout(600, method="thread")]


def asking(*expressions: str, exclude: tuple[str, ...] = ()) -> bytes:
    """A bot whose question has these expressions as its rules, and one for everything else."""
    rules = [go("found", when=finds(one, exclude)) for one in expressions]
    asked = question("q", "", *rules, go("other", when=says("*")))
    found, other = text("found", then="none"), text("other", then="none")
    return msgspec.json.encode(export(dialog("D", starter("start"), asked, found, other)))


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=range(len(EXPRESSIONS)))
def test_an_expression_answers_or_is_stopped(expression: str, record_property: Record) -> None:
    bot = compiled(asking(expression, exclude=("*a*a*", "b")))
    counts: Counter[str] = Counter()
    slowest = 0.0
    for said in TEXTS:
        talk = Talk(bot)
        talk.say("start")
        talk.session = talk.turn.session
        started = time.process_time()
        event = ConsumerMessage(said, sequence=9)
        turn = talk._advance(event)
        seconds = time.process_time() - started
        slowest = max(slowest, seconds)
        assert seconds < ANSWERS_WITHIN, f"{seconds:.2f} s on {said[:20]!r}…"
        codes = {line.code for line in turn.trace}
        assert "rule" in codes
        counts["stopped" if "regex-stopped" in codes else "answered"] += 1
    record_figures(record_property, "expressions", counts, {"turn": slowest})


def test_a_question_full_of_such_expressions_answers(record_property: Record) -> None:
    talk = Talk(compiled(asking(*EXPRESSIONS * 4)))
    for said in TEXTS:
        talk.say("start")
        started = time.process_time()
        talk._advance(ConsumerMessage(said, sequence=9))
        assert time.process_time() - started < 3 * ANSWERS_WITHIN


@pytest.mark.parametrize("pattern", PATTERNS, ids=range(len(PATTERNS)))
def test_a_pattern_matches_or_not_in_no_time(pattern: str, record_property: Record) -> None:
    started = time.process_time()
    made = compile_pattern(pattern)
    assert time.process_time() - started < MATCHES_WITHIN
    slowest = 0.0
    for said in (*ADVERSARIES, *(other[:8000] for other in PATTERNS), *(one * 8 for one in ADVERSARIES)):
        started = time.process_time()
        made.matches(said)
        slowest = max(slowest, time.process_time() - started)
        assert slowest < MATCHES_WITHIN * max(1, len(said) // 8000), f"{slowest:.2f} s on {said[:20]!r}…"
    record_figures(record_property, "patterns", Counter({"patterns": 1}), {"match": slowest})


Ask = Callable[[BotSource, str], Awaitable[Answer]]


@pytest.fixture
async def ask() -> AsyncIterator[Ask]:
    """Let a turn process answer the question that waits."""
    pool = TurnProcesses(1)
    await pool.start()

    async def ask(bot: BotSource, said: str) -> Answer:
        async def blob() -> bytes:
            return bot.blob

        session: Session | None = None
        conversation = Conversation("0-c", BOT_ID, "u")
        for at, one in enumerate(("start", said), 1):
            event = ConsumerMessage(one, sequence=at, at=1_700_000_000_000, new_session=session is None)
            answer = await pool.advance(Advance(bot.version, conversation, session, event, at), blob)
            session = answer.session
        return answer

    yield ask
    await pool.close()


async def test_in_a_turn_process_expressions_answer_or_are_stopped_too(ask: Ask) -> None:
    for at in range(0, len(EXPRESSIONS), 8):
        bot = BotSource(asking(*EXPRESSIONS[at : at + 8]))
        for said in TEXTS:
            answer = await ask(bot, said)
            assert "rule" in {line.code for line in answer.trace}, f"expressions {at} to {at + 8} on {said[:20]!r}"


async def test_in_a_turn_process_patterns_answer_too(ask: Ask) -> None:
    asked = question("q", "", *(go("found", when=says(one)) for one in PATTERNS), go("found", when=says("*")))
    bot = BotSource(
        msgspec.json.encode(export(dialog("D", starter("start", "*x*y*z*"), asked, text("found", then="none"))))
    )
    for said in TEXTS:
        assert "rule" in {line.code for line in (await ask(bot, said)).trace}
