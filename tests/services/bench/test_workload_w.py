from pathlib import Path

import pytest

from tests.bench.bench import COUNTING
from tests.bench.rows_w import w_figures, w_round
from tests.bench.systems import Systems
from tests.bench.talk import Talk
from tests.bench.wire import Broken
from tests.bench.workload_w import W


async def test_every_count_is_right_in_the_baseline_and_in_botlane(tmp_path: Path) -> None:
    systems = Systems(tmp_path)
    async with systems.inline() as inline, systems.botlane([COUNTING], turn_processes=1) as botlane:
        theirs = await w_round(inline.host, inline.programs, conversations=5, messages=4)
        ours = await w_round(botlane.host, botlane.programs, conversations=5, messages=4)
    assert set(theirs.cpu) == {"inline", "valkey"}
    assert set(ours.cpu) >= {"gateway", "dialog-worker", "turn processes", "integration-worker", "valkey"}
    assert {figure.row for figure in w_figures([(theirs, ours)])} == {"w"}


async def test_the_client_stops_at_a_wrong_count(tmp_path: Path) -> None:
    async with Systems(tmp_path).inline() as system:
        w = W(system.host, 2)
        await w.open()
        await w.run(1)
        w._said = 5
        with pytest.raises(Broken, match="'count 2' came instead of the count 6"):
            await w.run(1)
        w.close()


async def test_the_client_stops_at_a_refusal(tmp_path: Path) -> None:
    async with Systems(tmp_path).inline() as system:
        talk = Talk(system.host)
        await talk.open("any")
        talk.token = "another"
        talk.say("add 1 lamps")
        with pytest.raises(Broken, match="401"):
            await talk.failed
        talk.close()
