"""Check a small bot and say what was found, briefly."""

import json
from typing import Any

from services.check.report import Report, check_bot
from shared.bot.source import BotSource
from tests.unit.dialog.bots import Part, export

Found = list[tuple[str, str]]


def report(*dialogs: Part, manifest: str = "", described: list[dict[str, Any]] | None = None, **parts: Any) -> Report:
    """Check a bot of these dialogs; `described` are the intents its export describes."""
    content = export(*dialogs, **parts)
    if described is not None:
        content["associatedIntents"] = described
    return check_bot(BotSource(json.dumps(content).encode(), manifest, "bot.json", "bot.botlane.toml"))


def found(*dialogs: Part, manifest: str = "", **parts: Any) -> Found:
    """Return code and place of every finding."""
    return [(one.code, one.place) for one in report(*dialogs, manifest=manifest, **parts).findings]


def found_of(code: str, *dialogs: Part, manifest: str = "", **parts: Any) -> list[str]:
    """Return the places of the findings of one code, each with line and column if it has them."""
    return [
        f"{one.place} {one.line}:{one.column}" if one.line else one.place
        for one in report(*dialogs, manifest=manifest, **parts).findings
        if one.code == code
    ]
