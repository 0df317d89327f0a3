"""What tests have reached of a bot, and what they have not: interactions, rules and scripts. Pure."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from services.tester.batch import Outcome, Reached, load
from shared.bot.model import Bot, Interaction

_PANELS = (("pre", "Pre-Process Code"), ("post", "Post-Process Code"), ("response", "Process User Response"))
_KINDS = ("interaction", "rule", "script")


class Coverage(msgspec.Struct, frozen=True):
    """Everything a bot has that a test can reach, in the bot's order, and what of it was reached."""

    bot: Bot
    all: tuple[Reached, ...]
    reached: frozenset[Reached]

    @property
    def missed(self) -> list[Reached]:
        """What no test has reached."""
        return [one for one in self.all if one not in self.reached]

    def counts(self, kind: str) -> tuple[int, int]:
        """Return how many of a kind were reached, and how many there are."""
        found = [one for one in self.all if one.kind == kind]
        return sum(one in self.reached for one in found), len(found)


def coverage(bot: Bot, reached: Iterable[Reached]) -> Coverage:
    """Compare what was reached with what there is."""
    return Coverage(bot, tuple(dict.fromkeys(inventory(bot))), frozenset(reached))


def measure(outcomes: Iterable[Outcome]) -> list[Coverage]:
    """Return the coverage of every bot that was tested. Raises BotError."""
    reached: dict[tuple[Path, Path | None], set[Reached]] = {}
    for outcome in outcomes:
        reached.setdefault((outcome.bot, outcome.manifest), set()).update(outcome.reached)
    return [coverage(load(*key), found) for key, found in sorted(reached.items(), key=str)]


def inventory(bot: Bot) -> Iterator[Reached]:
    """Name what a test can reach; what is disabled in the export is left out."""
    if "__initConversation" in bot.global_functions:
        yield Reached("script", "Global Functions", "__initConversation")
    for dialog in bot.dialogs.values():
        if dialog.enabled:
            for key in dialog.interactions:
                yield from _of_interaction(bot.interactions[key])
    for integration in bot.integrations.values():
        if integration.transform.strip():
            yield Reached("script", integration.name, "Transform Result Script")


def _of_interaction(interaction: Interaction) -> Iterator[Reached]:
    if not interaction.enabled:
        return
    yield Reached("interaction", interaction.name)
    for panel, title in _PANELS:
        if getattr(interaction, panel).strip():
            yield Reached("script", interaction.name, title)
    if decides(interaction):
        for rule in interaction.rules:
            yield Reached("rule", interaction.name, rule.name)


def decides(interaction: Interaction) -> bool:
    """Tell whether an interaction chooses between its rules; a statement only has its next action."""
    return interaction.asks or interaction.integration_id is not None


def lines(found: Coverage) -> list[str]:
    """Return the lines of the text summary of one bot."""
    counts = ", ".join(f"{done} of {total} {kind}s" for kind in _KINDS for done, total in [found.counts(kind)])
    said = [f"{found.bot.name}: reached {counts}"]
    said += [f"  never: {one.kind} {_named(one)}" for one in found.missed]
    return said


def _named(one: Reached) -> str:
    return f"{one.interaction} / {one.name}" if one.name else one.interaction
