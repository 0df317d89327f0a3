"""Phases of turns: measured by Redis' clock and differences of our own, and told of slow turns."""

import time

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from services.dialog_worker import timing
from services.dialog_worker.running import Ran
from services.dialog_worker.timing import Timing
from shared.dialog.frames import Answer

NOW = 1_795_331_696_000  # Redis' clock, which need not be ours


def spent(phase: str) -> float:
    return REGISTRY.get_sample_value("botlane_turn_phase_seconds_sum", {"phase": phase}) or 0.0


def ran() -> Ran:
    return Ran(answer=Answer(), version="v", runs=2, ms=40.0, trip_ms=50.0, script_ms=30.0)


def test_the_wait_in_the_inbox_counts_by_the_clock_that_stamped_the_event() -> None:
    before = spent("inbox")
    Timing(NOW, 0.001).handed(NOW - 3000)
    assert spent("inbox") - before == pytest.approx(3.0, abs=0.5)


def test_an_event_accepted_after_begin_has_not_waited_less_than_no_time() -> None:
    before = spent("inbox")
    Timing(NOW, 0.001).handed(NOW + 60_000)
    assert spent("inbox") == before


def test_the_phases_of_a_turn_are_counted() -> None:
    before = {phase: spent(phase) for phase in ("begin", "turn-process", "engine", "scripts")}
    turn = Timing(NOW, 0.25)
    turn.handed(NOW)
    turn.ran(ran())
    turn.committing()
    turn.committed()
    grown = {phase: round(spent(phase) - was, 6) for phase, was in before.items()}
    assert grown == {"begin": 0.25, "turn-process": 0.05, "engine": 0.04, "scripts": 0.03}


def test_a_slow_turn_is_told_with_its_phases_and_a_quick_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "SLOW_SECONDS", 60.0)
    with capture_logs() as quick:
        finish(Timing(NOW, 0.0))
    assert quick == []
    monkeypatch.setattr(timing, "SLOW_SECONDS", 0.005)
    monkeypatch.setattr(Timing, "told_at", float("-inf"))
    monkeypatch.setattr(Timing, "untold", 0)
    with capture_logs() as slow:
        finish(Timing(NOW, 0.0))
    [line] = slow
    assert line["others_since"] == 0
    assert (line["event"], line["turn_process_ms"], line["engine_ms"], line["scripts_ms"]) == (
        "a slow turn",
        50,
        40,
        30,
    )


def test_when_all_turns_are_slow_one_line_says_it_for_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "SLOW_SECONDS", 0.005)
    monkeypatch.setattr(Timing, "told_at", float("-inf"))
    monkeypatch.setattr(Timing, "untold", 0)
    monkeypatch.setattr(timing, "TELL_SECONDS", 60.0)
    with capture_logs() as lines:
        for _ in range(4):
            finish(Timing(NOW, 0.0))
        monkeypatch.setattr(Timing, "told_at", float("-inf"))  # a second later
        finish(Timing(NOW, 0.0))
    assert [line["others_since"] for line in lines] == [0, 3]


def finish(turn: Timing) -> None:
    turn.handed(NOW)
    turn.ran(ran())
    turn.committing()
    time.sleep(0.01)
    turn.committed()
