"""What a turn did, line by line, for the people who debug a bot.

`values` hold what consumers, forms and APIs said; they are dropped before a trace is stored unless the console is on.
Everything else (codes, names of interactions, dialogs, integrations, durations) may be stored and shown.
"""

from typing import Any

import msgspec


class TraceLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that happened in a turn.

    `code` is a stable word: `event`, `session`, `command`, `starter`, `disambiguation`, `interaction`, `slot`, `rule`,
    `no-match`, `fallback`, `script`, `log`, `custom-event`, `variable`, `reply`, `private-message`, `call`, `outcome`,
    `fields`, `search`, `routing`, `transfer`, `close`, `return`, `jump`, `kept`, or a warning: `chain-limit`,
    `unknown-function`, `unsupported-function`, `unknown-interaction`, `unsupported-interaction`, `script-failed`,
    `script-stopped`, `unset-variable`, `refused`, `invalid-content`, `stale-control`, `dropped`, `bad-skill`,
    `transfer-failed`, …
    `level` is `info` or `warning`. `interaction` is its name. `note` is a sentence without values.
    """

    code: str
    interaction: str = ""
    note: str = ""
    level: str = "info"
    facts: dict[str, str | int | float | bool] = {}
    values: dict[str, Any] = {}


class TurnTrace(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One turn as the console shows it. `at` is when its event was accepted, `ms` how long the engine took."""

    turn: int
    at: int
    event: str
    version: str
    ms: float = 0
    runs: int = 1
    lines: list[TraceLine] = []


def without_values(lines: list[TraceLine]) -> list[TraceLine]:
    """Return the lines as they may be stored anywhere."""
    return [msgspec.structs.replace(line, values={}) if line.values else line for line in lines]
