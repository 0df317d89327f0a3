"""A turn that has to be run again: a script was killed, or data was missing. Real children."""

import pytest

from services.dialog_worker.turn_processes import Allowance, EngineFailure
from tests.services.turn_process.conftest import NATIVE_HANG, WITH_SHORT_WALLS, Start, bot_of, codes, texts


async def test_a_script_that_hangs_the_engine_is_killed_and_the_turn_run_again_without_it(start: Start) -> None:
    pool = await start(walls=WITH_SHORT_WALLS)
    bot = bot_of(f"botContext.sendMessage('lost'); {NATIVE_HANG}", "botContext.sendMessage('next')")
    answer = await pool.ask(bot)
    assert texts(answer) == ["end", "next", "end"]
    assert codes(answer) == ["script-stopped"]
    assert texts(await pool.ask(bot_of("botContext.sendMessage('well')"))) == ["well", "end"]


async def test_a_turn_in_which_a_fourth_script_hangs_is_given_up(start: Start) -> None:
    pool = await start(walls=WITH_SHORT_WALLS)
    three = await pool.ask(bot_of(*[NATIVE_HANG] * 3))
    assert codes(three) == ["script-stopped"] * 3
    with pytest.raises(EngineFailure, match="4 scripts"):
        await pool.ask(bot_of(*[NATIVE_HANG] * 4))
    assert texts(await pool.ask(bot_of(""))) == ["end"]


async def test_kills_and_time_are_counted_over_all_runs_of_a_turn(start: Start) -> None:
    pool = await start(walls=WITH_SHORT_WALLS)
    bot = bot_of(NATIVE_HANG, NATIVE_HANG, "botContext.getContextDataForUser('n', 'a')", NATIVE_HANG, NATIVE_HANG)
    allowance = Allowance(WITH_SHORT_WALLS)
    need = await pool.ask(bot, allowance)
    assert need.need == ["user|n"]
    assert allowance.kills == 1
    loaded = {"context": {"user|n": {"a": "loaded"}}, "abandon": need.abandon}
    with pytest.raises(EngineFailure, match="4 scripts"):
        await pool.ask(bot, allowance, **loaded)
    allowance.seconds = 0
    with pytest.raises(EngineFailure, match="longer than its time limit"):
        await pool.ask(bot, allowance, **loaded)


async def test_missing_context_data_is_asked_for_together_with_what_must_not_run_again(start: Start) -> None:
    pool = await start()
    bot = bot_of("while (true) {}", "botContext.sendMessage(botContext.getContextDataForUser('n', 'a'))")
    need = await pool.ask(bot, abandon=["9:pre:other"])
    assert need.need == ["user|n"]
    assert need.abandon == ["9:pre:other", "1:pre:m0"]
    answer = await pool.ask(bot, context={"user|n": {"a": "loaded"}}, abandon=need.abandon)
    assert texts(answer) == ["end", "loaded", "end"]
