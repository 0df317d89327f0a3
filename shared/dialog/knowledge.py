"""Searches of a knowledge base: there is none yet, so they find nothing (CB: reference/dialogs.md 5.3)."""

from shared.bot.model import Interaction
from shared.dialog.content import spoken
from shared.dialog.panels import Panel, run_panel
from shared.dialog.resolve import Resolver
from shared.dialog.results import api_object
from shared.dialog.work import Work


def search(work: Work, interaction: Interaction) -> Panel:
    """Store an empty result, run post-process, and say what the interaction says when nothing was found."""
    work.note("search", interaction, "no knowledge base is connected: nothing is found")
    work.set_variable(f"api_{interaction.variable}", api_object(interaction.variable, '{"results":[]}'), "request")
    panel = Panel()
    run_panel(work, interaction.name, "post", interaction.post, panel)
    if not panel.is_stopped():
        panel.said += spoken(work, Resolver(work, interaction).text(interaction.text))
    return panel
