"""What a turn process answers, whatever it is asked: one pool for all, since nothing here ends a child."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from services.dialog_worker.turn_processes import EngineFailure
from shared.bot.source import BotSource, read_bot
from shared.dialog.frames import FRAME_LIMIT
from shared.dialog.session import Conversation, Session
from shared.scripting.limits import Limits
from tests.services.turn_process.conftest import Pool, bot_of, codes, running_pool, texts

pytestmark = pytest.mark.asyncio(loop_scope="module")  # one pool for all

CORPUS = sorted(Path(os.environ.get("BOTLANE_CORPUS", "../shared/corpus/bots")).glob("*.json"))  # noqa: TID251 - where the real bots are


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def unhurried() -> AsyncIterator[Pool]:
    """A pool with the usual limits."""
    async with running_pool(limits=Limits()) as started:
        yield started


async def test_a_turn_is_answered_with_its_replies_session_and_trace(pool: Pool) -> None:
    bot = bot_of("botContext.sendMessage('from code'); botContext.setBotVariable('a', 1, true)")
    answer = await pool.ask(bot)
    assert texts(answer) == ["from code", "end"]
    assert answer.session is not None
    assert answer.session.session == {"a": 1}
    assert answer.session.version == bot.version
    assert codes(answer) == []
    assert answer.us > 0


@pytest.mark.parametrize(
    "hostile",
    [
        "while (true) {}",
        "while (true) { try { while (true) {} } catch (e) {} }",
        "/(a+)+$/.test('a'.repeat(50) + 'b')",
        "(function f() { f() })()",
        "var a = []; while (1) a.push(new Array(1e6))",
        "var a = []; while (1) a.push('0123456789'.repeat(1e4) + a.length)",
    ],
)
async def test_a_hostile_script_ends_with_a_trace_line_and_the_flow_goes_on(pool: Pool, hostile: str) -> None:
    bot = bot_of(f"botContext.sendMessage('before'); {hostile}", "botContext.sendMessage('next')")
    pids = pool.pids
    answer = await pool.ask(bot)
    assert texts(answer) == ["before", "end", "next", "end"]
    assert codes(answer) in (["script-stopped"], ["script-failed"])
    assert texts(await pool.ask(bot_of("botContext.sendMessage('well')"))) == ["well", "end"]
    assert pool.pids == pids


async def test_a_child_knows_every_time_zone_though_it_can_open_no_file(pool: Pool) -> None:
    zones = ["Asia/Kolkata", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Etc/UTC"]
    hours = [f"'{hour}~{hour}:00~{hour + 1}:00'" for hour in range(24)]
    script = f"""var said = {zones}.map(function (zone) {{ return botContext.getHoursType([{",".join(hours)}], zone) }});
    botContext.sendMessage(said.join())"""
    assert texts(await pool.ask(bot_of(script))) == ["3,17,9,23,22", "end"]
    assert texts(await pool.ask(bot_of(script))) == ["3,17,9,23,22", "end"]


async def test_a_bot_that_cannot_be_compiled_is_an_engine_failure_and_the_child_goes_on(pool: Pool) -> None:
    with pytest.raises(EngineFailure, match="cannot be loaded"):
        await pool.ask(BotSource(b"[]"))
    assert texts(await pool.ask(bot_of(""))) == ["end"]


async def test_a_request_larger_than_a_frame_is_an_engine_failure(pool: Pool) -> None:
    bot = bot_of("")
    with pytest.raises(EngineFailure, match="larger than a frame"):
        await pool.ask(bot, session=Session(bot.version, session={"a": "x" * FRAME_LIMIT}))
    assert texts(await pool.ask(bot)) == ["end"]


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: file.stem)
async def test_a_real_bot_answers_from_inside_the_lock_down(unhurried: Pool, file: Path) -> None:
    bot = read_bot(file)
    who = Conversation("0-c", "b", "u", customer_info={"ctype": "x", "imei": "1", "customerId": "7"})
    answer = await unhurried.ask(bot, conversation=who)
    assert answer.session is not None
    assert answer.session.version == bot.version
    assert not {"unknown-function", "script-failed", "script-stopped"} & set(codes(answer))
