"""Where the flow goes from an interaction (CB: reference/dialogs.md 2.6, 2.7; R3, R4).

Every function here returns the id of the interaction that comes next, or None when the turn's flow is over.
"""

from shared.bot.model import Interaction
from shared.bot.model_rules import Target
from shared.dialog.fallbacks import fall_back
from shared.dialog.panels import Panel
from shared.dialog.stack import complete, jump
from shared.dialog.starters import to_starter
from shared.dialog.work import Work

_DEFAULT_ROUTING = "platform.default"


def aim_of(work: Work, interaction: Interaction, panel: Panel) -> str | None:
    """Return the name a script sends the flow to, None when it does not; unknown names are passed over (R4)."""
    if not panel.triggers:
        return None
    name = panel.trigger or ""
    if name == _DEFAULT_ROUTING and not work.routed_by_script:
        return name
    note = "a script wants to go to an interaction that does not exist: the next action is taken"
    if name in work.bot.names:
        if _can_be_entered(work, work.bot.names[name]):
            return name
        note = "a script wants to go into a disabled dialog: the next action is taken"
    work.warn("unknown-interaction", interaction, note, values={"name": panel.trigger})
    return None


def go_to(work: Work, interaction: Interaction, name: str) -> str | None:
    """Go where `aim_of` says: to an interaction, or once a turn to the starters."""
    if name in work.bot.names:
        work.note("jump", interaction, f"a script goes to {name}")
        return jump(work, work.bot.interactions[work.bot.names[name]])
    work.routed_by_script = True
    work.note("jump", interaction, "a script hands the message to the starters")
    question = interaction if work.position.question == interaction.id else None
    work.put(question=None)
    return to_starter(work) or fall_back(work, question)


def follow(work: Work, interaction: Interaction, target: Target) -> str | None:
    """Go where a rule leads."""
    match target.kind:
        case "next":
            return interaction.next_id or complete(work)
        case "missing":
            work.warn("unknown-interaction", interaction, "a rule leads nowhere: the next action is taken")
        case "interaction":
            if _can_be_entered(work, target.id):
                return jump(work, work.bot.interactions[target.id])
            work.warn(
                "unknown-interaction", interaction, "a rule leads into a disabled dialog: the next action is taken"
            )
        case "dialog":
            dialog = work.bot.dialogs[target.id]
            if dialog.first is not None and dialog.enabled:
                return jump(work, work.bot.interactions[dialog.first])
            work.warn("unknown-interaction", interaction, f"the dialog {dialog.name} is empty or disabled")
        case "close_dialog" | "close_conversation":
            work.close(interaction, survey=target.kind == "close_dialog")
            return None
        case _:
            work.clear_stack()
            return None
    return interaction.next_id or complete(work)


def _can_be_entered(work: Work, interaction_id: str) -> bool:
    """Tell whether a jump may go there: into an enabled dialog, or on within the one that runs."""
    dialog = work.bot.dialogs[work.bot.interactions[interaction_id].dialog_id]
    return dialog.enabled or (bool(work.stack) and work.stack[-1].dialog_id == dialog.id)
