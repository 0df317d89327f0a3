"""What scripts cost: CPU of turns with more and more JavaScript, less that of turns without any."""

import json
from pathlib import Path
from typing import Any

from tests.bench.bench import COUNTING, PLAIN, Bench
from tests.bench.figures import Figure, alone, at_most
from tests.bench.rows_parts import drain_turns

MESSAGES = 20
_FUNCTION = """function step{0}(value) {{
    var steps = [];
    for (var i = 0; i < 3; i++) {{
        steps.push(value + i);
    }}
    if (steps.length === 0) {{
        return step{1}(value);
    }}
    return steps[0] + 1;
}}
"""
_LINES = "".join(_FUNCTION.format(number, (number + 1) % 200) for number in range(200))


async def scripting(bench: Bench) -> list[Figure]:
    """Measure turns without a script, with one, and with one that uses Global Functions."""
    await bench.quiet()
    bots = {"plain": PLAIN, "one short script": COUNTING}
    if bench.corpus is not None:
        character = json.loads((bench.corpus / "gpt3-character.json").read_text())
        script = "setBotVar('n', Number(getBotVar('n') || 0) + 1);"
        name = "a script and the Global Functions of gpt3-character"
        bots[name] = _variant(bench.folder, "character", script, character["globalFunctions"]["methods"])
    script = "botContext.setBotVariable('n', step7(Number(botContext.getBotVariable('n') || 0)), true, false);"
    lines = "a script and 2,000 lines of Global Functions"
    bots[lines] = _variant(bench.folder, "lines", script, _LINES)
    cpu = await _cpu(bench, bots)
    targets = {name: 0.5 for name in bots if name.endswith("character")} | {lines: 3.0}
    figures = [alone("scripts", "CPU of a turn without scripts", "ms", cpu.pop("plain"), note="worker and server too")]
    for name, more in cpu.items():
        most = targets.get(name)
        figures.append(
            alone(
                "scripts",
                f"CPU added by {name}",
                "ms",
                more,
                f"at most {most} ms" if most else "",
                at_most(most) if most else None,
            )
        )
    return figures


async def _cpu(bench: Bench, bots: dict[str, Path]) -> dict[str, list[float]]:
    """Return CPU milliseconds for each round: of a turn of the plain bot, and what a turn of the others adds."""
    conversations = 20 if bench.quick else 60
    cpu: dict[str, list[float]] = {name: [] for name in bots}
    async with bench.systems.botlane(list(bots.values()), ["dialog-worker"]) as system:
        for _ in range(bench.rounds(3)):
            plain = 0.0
            for name, bot in bots.items():
                bot_id = json.loads(bot.read_text())["bot"]["id"]
                spent = (await drain_turns(system, bot_id, conversations, MESSAGES)).cpu
                plain = plain or spent
                cpu[name].append(spent if name == "plain" else spent - plain)
    return cpu


def _variant(folder: Path, name: str, script: str, functions: str) -> Path:
    """Write the counting bot with another script and Global Functions."""
    bot: dict[str, Any] = json.loads(COUNTING.read_text())
    bot["bot"]["id"] = f"bench-{name}"
    bot["globalFunctions"] = {"methods": functions}
    for interaction in bot["conversationMessage"]:
        if "preProcessMessage" in interaction:
            interaction["preProcessMessage"] = script
    path = folder / f"{name}.json"
    path.write_text(json.dumps(bot))
    return path
