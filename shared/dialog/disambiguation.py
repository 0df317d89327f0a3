"""When several intents are likely and none is sure, the consumer is asked (CB: reference/dialogs.md 2.12)."""

from shared.bot.model import Dialog, IntentName, Interaction
from shared.dialog.matching import FAIR_PLUS, can_start
from shared.dialog.resolve import Resolver
from shared.dialog.stack import enter
from shared.dialog.work import Work

_ONLY_STARTERS = "system_useIntentsOnlyWithDialogStartersInDisambiguation"


def offer(work: Work) -> str | None:
    """Enter the disambiguation dialog if there is one and at least two intents are likely."""
    dialog = work.bot.special("DISAMBIGUATION_DIALOG")
    likely = _likely(work) if dialog is not None else []
    if dialog is None or len(likely) < 2:
        return None
    work.note("disambiguation", "", f"{len(likely)} intents are likely, none is sure")
    here = enter(work, dialog)
    work.put(offered=likely)
    return here


def offered(work: Work, question: Interaction) -> list[IntentName]:
    """Return the intents a disambiguation offers, the likeliest first."""
    return [work.bot.intent(one) for one in work.position.offered[: question.offers]]


def choose(work: Work, question: Interaction) -> IntentName | None:
    """Return the offered intent the consumer picked, and remember it for scripts and rules."""
    said = work.position.text.strip().casefold()
    intents = offered(work, question)
    chosen = next((one for one in intents if said in {one.display_name.casefold(), one.name.casefold()}), None)
    if chosen is None and said.isdecimal() and 0 < int(said) <= len(intents):
        chosen = intents[int(said) - 1]
    if chosen is not None:
        work.put(disambiguated=chosen.id)
    return chosen


def options(work: Work, question: Interaction) -> list[str]:
    """Return what a disambiguation shows: the intents' names, then its own options (none of the above)."""
    resolver = Resolver(work, question)
    own = [*question.choices, *(reply.title for reply in question.quick_replies)]
    own += [button.label for tile in question.tiles for button in tile.buttons]
    shown = [one.display_name for one in offered(work, question)] + [resolver.text(one).strip() for one in own]
    return [one for one in shown if one]


def dialog_of(work: Work, intent: IntentName) -> Dialog | None:
    """Return the dialog an intent starts."""
    for dialog in work.bot.dialogs.values():
        called = dialog.starter.intent_id if dialog.starter is not None and can_start(dialog) else None
        if called and work.bot.intent(called).id.casefold() == intent.id.casefold():
            return dialog
    return None


def _likely(work: Work) -> list[str]:
    found = [work.bot.intent(one.name) for one in work.position.understood.intents if one.score >= FAIR_PLUS]
    if work.bot.environment.get(_ONLY_STARTERS, "").lower() == "true":
        found = [one for one in found if dialog_of(work, one) is not None]
    return list(dict.fromkeys(one.id for one in found))
