"""Which dialogs and interactions nothing leads to."""

from collections.abc import Iterator

from services.check.codes import INFO, WARNING, found
from services.check.panels import Panel, place_of
from services.check.subject import Subject
from shared.bot.errors import Finding
from shared.bot.model import Bot, Dialog, Interaction
from shared.bot.model_rules import Target


def check_reach(subject: Subject) -> Iterator[Finding]:
    """Follow starters, next actions, rules and scripts; a script's choice at run time makes its findings infos."""
    bot = subject.bot
    yield from _disabled(bot)
    reached = _reached(subject)
    level = INFO if subject.triggers_unknown else WARNING
    for dialog in bot.dialogs.values():
        members = [bot.interactions[one] for one in dialog.interactions]
        if not dialog.enabled or not members:
            continue
        lost = [one for one in members if one.enabled and one.id not in reached]
        if lost and len(lost) == sum(one.enabled for one in members):
            yield found("unreachable-dialog", dialog.name, _why(dialog), level=level)
            continue
        for interaction in lost:
            if not _is_only_a_door(interaction):
                yield found("unreachable-interaction", place_of(bot, interaction), "nothing leads to it", level=level)


def _disabled(bot: Bot) -> Iterator[Finding]:
    """Find rules that lead from one dialog into another that is disabled."""
    for interaction in bot.interactions.values():
        entered = (_entered(rule.target, bot) for rule in interaction.rules)
        for target in {one.id: one for one in entered if one is not None and one.id != interaction.dialog_id}.values():
            if not target.enabled:
                note = f'a rule leads into the dialog "{target.name}", which is disabled: the next action is taken'
                yield found("disabled-target", place_of(bot, interaction), note)


def _entered(target: Target, bot: Bot) -> Dialog | None:
    """Return the dialog a rule leads into, None when it says where to go in other words."""
    match target.kind:
        case "dialog":
            return bot.dialogs[target.id]
        case "interaction":
            return bot.dialogs[bot.interactions[target.id].dialog_id]
    return None


def _is_only_a_door(interaction: Interaction) -> bool:
    """Tell whether it is a starter that does nothing: dialogs that others jump into keep theirs unused."""
    return interaction.kind == "DIALOG_STARTER" and not interaction.pre.strip() and not interaction.post.strip()


def _why(dialog: Dialog) -> str:
    if dialog.starter is None:
        return "it has no starter, and nothing else leads to it"
    return "its starter has neither a pattern nor an intent, and nothing else leads to it"


def _reached(subject: Subject) -> set[str]:
    bot = subject.bot
    led_to: dict[str | None, set[str]] = {}
    for panel in subject.panels:
        led_to.setdefault(panel.interaction.id if panel.interaction else None, set()).update(_named(panel, subject))
    waiting = [*(one for dialog in bot.dialogs.values() for one in _entrances(dialog)), *led_to.get(None, ())]
    reached: set[str] = set()
    while waiting:
        here = waiting.pop()
        if here not in reached:
            reached.add(here)
            waiting += _ways(bot.interactions[here], bot)
            waiting += led_to.get(here, ())
    return reached


def _entrances(dialog: Dialog) -> Iterator[str]:
    """Yield what the consumer's words, or the platform itself (fallback, survey, …), begin a dialog with."""
    starter = dialog.starter
    begins = dialog.kind != "DIALOG" or (
        starter is not None and starter.enabled and (starter.patterns or starter.intent_id is not None)
    )
    if dialog.enabled and begins and dialog.first is not None:
        yield dialog.first


def _named(panel: Panel, subject: Subject) -> Iterator[str]:
    """Yield the interactions a script may go to: those its triggers name; when one is put together, any it names."""
    names = subject.bot.names
    texts = {text for use in panel.uses if use.name == "setTriggerNextMessage" for text in use.texts}
    if subject.triggers_unknown:
        texts |= panel.texts
    yield from (names[text] for text in texts if text in names)


def _ways(interaction: Interaction, bot: Bot) -> Iterator[str]:
    """Yield where an interaction's rules lead; without a default rule the flow may go on to the next one."""
    on = all(rule.condition is not None for rule in interaction.rules)
    for rule in interaction.rules:
        target = _entered(rule.target, bot)
        if target is None or not (target.enabled or target.id == interaction.dialog_id):
            on = on or target is not None or rule.target.kind in {"next", "missing"}
        elif rule.target.kind == "interaction":
            yield rule.target.id
        elif target.first is not None:
            yield target.first
    if on and interaction.next_id:
        yield interaction.next_id
