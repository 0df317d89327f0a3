"""The flow: from interaction to interaction until one waits (CB: reference/dialogs.md 2.2 to 2.7).

Every function here returns the id of the interaction that comes next, or None when the turn's flow is over: a
question waits, a call was started, or there is nothing left to do. `run` is the only loop.
"""

from shared.bot.model import Interaction
from shared.bot.model_rules import NoMatchCondition, Rule, Target
from shared.dialog.assignments import assign, take_known
from shared.dialog.calls import fail_call, start_call
from shared.dialog.content import render, spoken
from shared.dialog.controls import recognise_payload
from shared.dialog.disambiguation import choose, dialog_of
from shared.dialog.effects import Reply
from shared.dialog.fallbacks import count_failed_call, fall_back
from shared.dialog.handover import ask_router, refuse_transfer, transfer
from shared.dialog.knowledge import search
from shared.dialog.matching import Outcome, match_rule
from shared.dialog.moves import aim_of, follow, go_to
from shared.dialog.panels import Panel, run_panel, send
from shared.dialog.resolve import Resolver
from shared.dialog.starters import start, to_starter
from shared.dialog.texts import NO_RESULT, NOT_AN_OPTION, UPLOAD_FAILED
from shared.dialog.work import Work

_MAX_STEPS = 200


def run(work: Work, here: str | None) -> None:
    """Run interactions until none is left. A turn takes at most 200 steps, whatever a bot's limits say."""
    for _ in range(_MAX_STEPS):
        if work.is_closed:
            work.clear_stack()
            return
        if here is None:
            return
        here = _step(work, work.bot.interactions[here])
    work.warn("chain-limit", "", f"the flow was stopped after {_MAX_STEPS} interactions in one turn")
    work.clear_stack()


def route(work: Work) -> str | None:
    """Take a consumer's text to the pending question, else to a starter, else to the fallback."""
    question = work.bot.interactions.get(work.position.question or "")
    if question is None:
        work.clear_stack()
        return to_starter(work) or fall_back(work, None)
    if question.kind == "DISAMBIGUATION" and work.position.offered:
        return _choose(work, question)
    recognise_payload(work, question)
    rule = match_rule(work, question)
    if rule is not None:
        return _answer(work, question, rule)
    work.note("no-match", question, "no rule of the question matched")
    return to_starter(work) or fall_back(work, question)


def after_call(work: Work, interaction: Interaction, panel: Panel, outcome: Outcome) -> str | None:
    """Go on after a call or a search: a trigger, else the rules, else the default next action (R14)."""
    send(work, panel.said, interaction, panel)
    if panel.is_stopped():
        work.clear_stack()
        return None
    aim = aim_of(work, interaction, panel)
    if aim is not None:
        return go_to(work, interaction, aim)
    rule = match_rule(work, interaction, outcome)
    if outcome.succeeded is False and (rule is None or rule.condition is None):
        work.warn("call-failed", interaction, "no rule handles the failure: the default text is sent")
        count_failed_call(work)
        work.reply(Reply(text=NO_RESULT), interaction)
        if rule is None:
            work.clear_stack()
            return None
    return _fire(work, interaction, rule)


def _fire(work: Work, interaction: Interaction, rule: Rule | None) -> str | None:
    """Take the way of a rule; without one, the next action."""
    if rule is None:
        return follow(work, interaction, Target("next"))
    work.note("rule", interaction, rule.name)
    assign(work, interaction, rule)
    return follow(work, interaction, rule.target)


def _step(work: Work, interaction: Interaction) -> str | None:
    if not interaction.enabled:
        return follow(work, interaction, Target("next"))
    known = take_known(work, interaction) if interaction.asks else None
    counted = known is not None or not interaction.asks
    if counted and interaction.kind != "DIALOG_STARTER" and not _counts(work, interaction):
        return None
    work.stack[-1].interaction_id = interaction.id
    if known is not None:
        work.note("slot", interaction, "the dialog's first text answered it already: it is not asked")
        assign(work, interaction, *known)
        return follow(work, interaction, known[0].target)
    work.note("interaction", interaction, interaction.kind)
    panel = Panel()
    run_panel(work, interaction.name, "pre", interaction.pre, panel)
    if panel.is_stopped():
        return _end(work, interaction, panel)
    if interaction.kind in {"API_INTEGRATION", "KB_FAQ"}:
        return _look_up(work, interaction, panel)
    replies = render(work, interaction)
    run_panel(work, interaction.name, "post", interaction.post, panel)
    if panel.is_stopped():
        return _end(work, interaction, panel)
    return _show(work, interaction, panel, replies)


def _show(work: Work, interaction: Interaction, panel: Panel, replies: list[Reply]) -> str | None:
    """Send what the scripts said and the interaction's own content; wait, or go on."""
    aim = aim_of(work, interaction, panel)
    waits = interaction.asks and aim is None
    send(work, [*panel.said, *replies], interaction, panel, delay_ms=interaction.delay_ms, asks=waits)
    if work.is_closed:
        return None
    if aim is not None:
        return go_to(work, interaction, aim) if not interaction.asks or _counts(work, interaction) else None
    if waits and interaction.kind == "FILE_UPLOAD":
        return _fail_upload(work, interaction) if _counts(work, interaction) else None
    if waits:
        work.put(question=interaction.id, chain=0, chain_across=0)
        return None
    if interaction.kind == "ESCALATION":
        delay_ms = interaction.delay_ms if panel.delay_ms is None else panel.delay_ms
        return None if transfer(work, interaction, delay_ms) else _transfer_refused(work, interaction)
    if interaction.kind == "ORCHESTRATOR" and ask_router(work, interaction):
        return None
    rule = next((one for one in interaction.rules if one.condition is None), None)
    if rule is None:
        return follow(work, interaction, Target("next"))
    assign(work, interaction, rule)
    return follow(work, interaction, rule.target)


def _look_up(work: Work, interaction: Interaction, panel: Panel) -> str | None:
    """Start the call or make the search, unless a script wants to go elsewhere (R3)."""
    aim = aim_of(work, interaction, panel)
    send(work, panel.said, interaction, panel)
    if work.is_closed:
        return None
    if aim is not None:
        return go_to(work, interaction, aim)
    if interaction.kind == "KB_FAQ":
        return after_call(work, interaction, search(work, interaction), Outcome(found=False))
    if start_call(work, interaction):
        return None
    return after_call(work, interaction, fail_call(work, interaction), Outcome(succeeded=False))


def _answer(work: Work, question: Interaction, rule: Rule) -> str | None:
    """Fire a rule of a question: variables, its message, Process User Response, then the target (R2)."""
    work.note("rule", question, rule.name)
    work.put(failures=0)
    assign(work, question, rule)
    panel = Panel()
    if isinstance(rule.condition, NoMatchCondition):
        panel.said += spoken(work, Resolver(work, question).text(rule.condition.message))
    run_panel(work, question.name, "response", question.response, panel)
    send(work, panel.said, question, panel)
    if panel.is_stopped() or work.is_closed:
        return None
    aim = aim_of(work, question, panel)
    here = follow(work, question, rule.target) if aim is None else go_to(work, question, aim)
    work.put(question=None)
    return here


def _choose(work: Work, question: Interaction) -> str | None:
    """Take the answer to a disambiguation: a rule of its own, else the dialog of the intent that was picked."""
    chosen = choose(work, question)
    rule = match_rule(work, question)
    if rule is not None and not rule.is_default:
        return _answer(work, question, rule)
    if chosen is None:
        work.note("no-match", question, "neither an intent that was offered nor an option")
        work.reply(Reply(text=NOT_AN_OPTION), question)
        work.put(question=None)
        return question.id
    panel = Panel()
    run_panel(work, question.name, "response", question.response, panel)
    send(work, panel.said, question, panel)
    aim = aim_of(work, question, panel)
    work.put(question=None)
    if panel.is_stopped() or work.is_closed:
        work.clear_stack()
        return None
    if aim is not None:
        return go_to(work, question, aim)
    dialog = dialog_of(work, chosen)
    if dialog is None:
        work.note("no-match", question, f"no dialog starts by the intent {chosen.name}")
        return fall_back(work, None)
    return start(work, dialog, f"by the intent {chosen.name}, chosen by the consumer", chosen.name)


def _fail_upload(work: Work, question: Interaction) -> str | None:
    """Say that no file can be taken, which the bot hears as CB would say it; if nobody minds, the question waits."""
    work.put(question=question.id)
    said = spoken(work, Resolver(work, question).text(question.failure))
    send(work, said, question, Panel(), asks=True)
    if work.is_closed:
        return None
    work.warn("unsupported-interaction", question, "files cannot be uploaded yet: it fails as if one had been refused")
    work.put(text=UPLOAD_FAILED + " ".join(reply.text or "" for reply in said), payload=None)
    rule = match_rule(work, question)
    if rule is not None and not rule.is_default:
        return _answer(work, question, rule)
    here = to_starter(work)
    if here is None:
        work.put(chain=0, chain_across=0)
    return here


def _transfer_refused(work: Work, interaction: Interaction) -> str | None:
    rule = match_rule(work, interaction, Outcome(succeeded=False))
    if rule is not None and not rule.is_default:
        return _fire(work, interaction, rule)
    refuse_transfer(work, interaction)
    return None


def _end(work: Work, interaction: Interaction, panel: Panel) -> str | None:
    """End the flow after sendImmediateReply: what was said is sent, the rest is not run."""
    send(work, panel.said, interaction, panel)
    work.clear_stack()
    return None


def _counts(work: Work, interaction: Interaction) -> bool:
    """Count an interaction that does not wait; over the limit the flow stops (CB: reference/dialogs.md 2.9)."""
    if work.position.chain >= work.bot.limits.chain:
        work.warn("chain-limit", interaction, f"the flow was stopped after {work.position.chain} without a question")
        work.clear_stack()
        return False
    work.put(chain=work.position.chain + 1)
    return True
