"""Lists and times to pick from (CB: reference/dialogs.md 2.11, 5.2): buttons, since few channels have the pickers.

Tapping one says what the picker would have said, so that the rules authors write for it match.
"""

from typing import Any

from shared.bot.model import Interaction, Pick
from shared.dialog import rich
from shared.dialog.effects import Reply
from shared.dialog.resolve import Resolver
from shared.dialog.texts import is_silent
from shared.dialog.work import Work

_PICKED = "User Selected: "


def pick_list(work: Work, interaction: Interaction, resolver: Resolver) -> list[Reply]:
    """Return a card of a picker: its text, and a button for each thing to pick, below the title of its section."""
    said = resolver.text(interaction.text)
    elements: list[dict[str, Any]] = [] if is_silent(said) else [rich.text(said)]
    event = resolver.text(interaction.event).strip()
    before = f"For {event} {_PICKED}" if event else _PICKED
    section = ""
    for pick in interaction.picks:
        if pick.section and pick.section != section:
            elements.append(rich.text(pick.section, "title"))
        section = pick.section
        elements += _buttons(pick, resolver, before)
    if not interaction.picks:
        work.warn("invalid-content", interaction, "nothing to pick from could be read in it: its text is shown")
    return [Reply(content=rich.vertical(elements))] if interaction.picks else _text(said)


def _buttons(pick: Pick, resolver: Resolver, before: str) -> list[dict[str, Any]]:
    """Return the button of one thing; one that names an array field is repeated for each element (R10)."""
    size = resolver.length(pick.title)
    copies = [resolver] if size is None else [resolver.at(index) for index in range(min(size, rich.MAX_CARDS))]
    titles = [(copy.text(pick.title).strip(), copy.text(pick.subtitle).strip()) for copy in copies]
    return [
        rich.say_button(f"{title}: {subtitle}" if subtitle else title, f"{before}{title}")
        for title, subtitle in titles
        if title
    ]


def _text(said: str) -> list[Reply]:
    return [] if is_silent(said) else [Reply(text=said)]
