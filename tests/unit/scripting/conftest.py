"""Run a script and look at what it did."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from shared.dialog.scripts import FormRead, ScriptOutcome, ScriptRef, ScriptState
from shared.scripting.limits import Limits
from shared.scripting.runtime import QuickJsScripts

NOW = 1_700_000_000_000
SHORT = Limits(script_seconds=0.1, turn_seconds=0.5)


@pytest.fixture(autouse=True)
def _in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Turn processes run in UTC."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


class Scene:
    """One turn: its scripts run one after the other, numbered."""

    def __init__(self, global_functions: str = "", limits: Limits = SHORT, **state: Any) -> None:
        self.scripts = QuickJsScripts(global_functions, limits)
        self.ordinal = 0
        self.state: dict[str, Any] = {"now": NOW, "seed": 7, "variables": {}, **state}

    def run(self, source: str, panel: str = "pre", **state: Any) -> ScriptOutcome:
        self.ordinal += 1
        return self.scripts.run(ScriptRef(self.ordinal, "a", panel), source, ScriptState(**(self.state | state)))

    def logs(self, expression: str, **state: Any) -> str:
        """What an expression is, as `printDebugMessage` shows it."""
        outcome = self.run(f"botContext.printDebugMessage({expression})", **state)
        assert outcome.error is None, outcome.error
        (log,) = [effect for effect in outcome.effects if not isinstance(effect, FormRead)]
        return log.text  # type: ignore[union-attr]


@pytest.fixture
def scene() -> Callable[..., Scene]:
    return Scene
