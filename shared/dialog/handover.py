"""Handing the conversation over: to people, or to whoever routes it (CB: reference/dialogs.md 5.3)."""

import re

from shared.bot.model import Interaction
from shared.dialog.content import spoken
from shared.dialog.effects import Reply, Transfer
from shared.dialog.resolve import Resolver
from shared.dialog.scripts import SetContext
from shared.dialog.texts import NOT_UNDERSTOOD, is_silent
from shared.dialog.work import Work

_NUMBER = re.compile(r"\s*-?\d+\s*")


def transfer(work: Work, interaction: Interaction, delay_ms: int) -> bool:
    """Hand over to people; False when the skill that is named is no number: nobody could be found by it."""
    resolver = Resolver(work, interaction)
    skill = resolver.text(interaction.skill_id).strip()
    if interaction.skill_id.source.strip() and _NUMBER.fullmatch(skill) is None:
        work.warn("bad-skill", interaction, "its skill is no number once its variables are filled in: no transfer")
        return False
    text = resolver.text(interaction.text)
    agent = resolver.text(interaction.agent_id).strip()
    work.note("transfer", interaction)
    parts = [] if is_silent(text) else spoken(work, text)
    for part in parts[:-1]:
        work.reply(part, interaction)
    if not work.is_closed:
        work.do(Transfer(parts[-1].text if parts else None, skill or None, agent or None, delay_ms))
        work.clear_stack()
    return True


def refuse_transfer(work: Work, interaction: Interaction) -> None:
    """Say that nobody can be reached by a transfer that no rule handles."""
    work.reply(Reply(text=work.bot.default_error or NOT_UNDERSTOOD), interaction)
    work.clear_stack()


def ask_router(work: Work, interaction: Interaction) -> bool:
    """Ask for a route, which nobody here gives: hand over to the fallback skill; False when there is none.

    CB keeps the question in the context service; so does this, for the scripts that read it.
    """
    intents = work.position.understood.intents
    asked = {
        "channel": work.conversation.channel,
        "userMessage": work.position.text,
        "intent": intents[0].name if intents else None,
    }
    for name, value in asked.items():
        work.write_context(SetContext("conversation", "orchestrator", name, value))
    work.note("routing", interaction, "no matched rules: its fallback is taken")
    return bool(interaction.skill_id.source.strip()) and transfer(work, interaction, interaction.delay_ms)
