"""The flow: from interaction to interaction until one waits (CB: reference/dialogs.md 2.2 to 2.7).

Every function here returns the id of the interaction that comes next, or None when the turn's flow is over: a
question waits, a call was started, or there is nothing left to do. `run` is the only loop.
"""

from shared.bot.model import Dialog, Interaction, NoMatchCondition, Rule, Target
from shared.dialog.calls import start_call
from shared.dialog.content import render, spoken
from shared.dialog.effects import Close, Reply, Transfer
from shared.dialog.matching import match_rule, match_starter
from shared.dialog.panels import Panel, run_panel, send
from shared.dialog.resolve import Resolver
from shared.dialog.stack import complete, jump, switch
from shared.dialog.texts import NO_RESULT, NOT_UNDERSTOOD, closing, is_silent
from shared.dialog.work import Work

_DEFAULT_ROUTING = "platform.default"
_MAX_STEPS = 200


def run(work: Work, here: str | None) -> None:
    """Run interactions until none is left. A turn takes at most 200 steps, whatever a bot's limits say."""
    for _ in range(_MAX_STEPS):
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
        return _to_starter(work) or _fall_back(work, None)
    _recognise_payload(work, question)
    rule = match_rule(work, question)
    if rule is not None:
        return _answer(work, question, rule)
    work.note("no-match", question, "no rule of the question matched")
    return _to_starter(work) or _fall_back(work, question)


def after_call(work: Work, interaction: Interaction, panel: Panel, *, succeeded: bool) -> str | None:
    """Go on after a call: a trigger, else the rules, else the default next action (R14)."""
    send(work, panel.said, interaction, panel)
    if panel.is_stopped():
        work.clear_stack()
        return None
    aim = _aim(work, interaction, panel)
    if aim is not None:
        return _go_to(work, interaction, aim)
    rule = match_rule(work, interaction, succeeded=succeeded)
    if not succeeded and (rule is None or rule.condition is None):
        work.warn("call-failed", interaction, "no rule handles the failure: the default text is sent")
        work.reply(Reply(text=NO_RESULT), interaction)
        if rule is None:
            work.clear_stack()
            return None
    if rule is None:
        return _follow(work, interaction, Target("next"))
    work.note("rule", interaction, rule.name)
    _assign(work, interaction, rule)
    return _follow(work, interaction, rule.target)


def _step(work: Work, interaction: Interaction) -> str | None:
    if not interaction.enabled:
        return _follow(work, interaction, Target("next"))
    if not interaction.asks and interaction.kind != "DIALOG_STARTER" and not _counts(work, interaction):
        return None
    work.stack[-1].interaction_id = interaction.id
    work.note("interaction", interaction, interaction.kind)
    panel = Panel()
    run_panel(work, interaction.name, "pre", interaction.pre, panel)
    if panel.is_stopped():
        return _end(work, interaction, panel)
    if interaction.kind == "API_INTEGRATION":
        return _integrate(work, interaction, panel)
    replies = render(work, interaction)
    run_panel(work, interaction.name, "post", interaction.post, panel)
    if panel.is_stopped():
        return _end(work, interaction, panel)
    return _show(work, interaction, panel, replies)


def _show(work: Work, interaction: Interaction, panel: Panel, replies: list[Reply]) -> str | None:
    """Send what the scripts said and the interaction's own content; wait, or go on."""
    aim = _aim(work, interaction, panel)
    waits = interaction.asks and aim is None
    ends = closing(interaction.text.source) if interaction.kind == "TEXT" else None
    if ends is not None:
        replies = []
    send(work, [*panel.said, *replies], interaction, panel, delay_ms=interaction.delay_ms, asks=waits)
    if ends is not None:
        return _close(work, interaction, survey=ends)
    if aim is not None:
        return _go_to(work, interaction, aim) if not interaction.asks or _counts(work, interaction) else None
    if waits:
        work.put(question=interaction.id, chain=0, chain_across=0)
        return None
    if interaction.kind == "ESCALATION":
        return _transfer(work, interaction, interaction.delay_ms if panel.delay_ms is None else panel.delay_ms)
    rule = next((one for one in interaction.rules if one.condition is None), None)
    if rule is None:
        return _follow(work, interaction, Target("next"))
    _assign(work, interaction, rule)
    return _follow(work, interaction, rule.target)


def _integrate(work: Work, interaction: Interaction, panel: Panel) -> str | None:
    """Start the call, unless a script wants to go elsewhere (R3)."""
    aim = _aim(work, interaction, panel)
    send(work, panel.said, interaction, panel)
    if aim is not None:
        return _go_to(work, interaction, aim)
    if start_call(work, interaction):
        return None
    return after_call(work, interaction, Panel(), succeeded=False)


def _answer(work: Work, question: Interaction, rule: Rule) -> str | None:
    """Fire a rule of a question: variables, its message, Process User Response, then the target (R2)."""
    work.note("rule", question, rule.name)
    _assign(work, question, rule)
    panel = Panel()
    if isinstance(rule.condition, NoMatchCondition):
        panel.said += spoken(work, Resolver(work, question).text(rule.condition.message))
    run_panel(work, question.name, "response", question.response, panel)
    send(work, panel.said, question, panel)
    if panel.is_stopped():
        return None
    aim = _aim(work, question, panel)
    here = _follow(work, question, rule.target) if aim is None else _go_to(work, question, aim)
    work.put(question=None)
    return here


def _aim(work: Work, interaction: Interaction, panel: Panel) -> str | None:
    """Return the name a script sends the flow to, None when it does not; unknown names are passed over (R4)."""
    if not panel.triggers:
        return None
    name = panel.trigger or ""
    if name in work.bot.names or (name == _DEFAULT_ROUTING and not work.routed_by_script):
        return name
    note = "a script wants to go to an interaction that does not exist: the next action is taken"
    work.warn("unknown-interaction", interaction, note, values={"name": panel.trigger})
    return None


def _go_to(work: Work, interaction: Interaction, name: str) -> str | None:
    """Go where `_aim` says: to an interaction, or once a turn to the starters."""
    if name in work.bot.names:
        work.note("jump", interaction, f"a script goes to {name}")
        return jump(work, work.bot.interactions[work.bot.names[name]])
    work.routed_by_script = True
    work.note("jump", interaction, "a script hands the message to the starters")
    question = interaction if work.position.question == interaction.id else None
    work.put(question=None)
    return _to_starter(work) or _fall_back(work, question)


def _follow(work: Work, interaction: Interaction, target: Target) -> str | None:
    match target.kind:
        case "missing":
            work.warn("unknown-interaction", interaction, "a rule leads nowhere: the next action is taken")
            return interaction.next_id or complete(work)
        case "next":
            return interaction.next_id or complete(work)
        case "interaction":
            return jump(work, work.bot.interactions[target.id])
        case "dialog":
            dialog = work.bot.dialogs[target.id]
            if dialog.first is None or not dialog.enabled:
                work.warn("unknown-interaction", interaction, f"the dialog {dialog.name} is empty or disabled")
                return interaction.next_id or complete(work)
            return jump(work, work.bot.interactions[dialog.first])
        case "close_dialog" | "close_conversation":
            return _close(work, interaction, survey=target.kind == "close_dialog")
        case _:
            work.clear_stack()
            return None


def _to_starter(work: Work) -> str | None:
    found = match_starter(work)
    if found is None:
        return None
    dialog, pattern = found
    work.note("starter", dialog.starter or "", f"dialog {dialog.name}, by the pattern {pattern.source}")
    return _enter(work, dialog)


def _fall_back(work: Work, question: Interaction | None) -> str | None:
    """Say that nothing matched, then come back to the question if there is one (CB: reference/dialogs.md 2.5)."""
    fallback = work.bot.fallback
    if question is not None and question.fallback is not None:
        work.note("fallback", question, "its own fallback text")
        send(work, spoken(work, Resolver(work, question).text(question.fallback)), question, Panel())
    elif fallback is not None and fallback.first is not None:
        work.note("fallback", "", f"dialog {fallback.name}")
        return _enter(work, fallback)
    else:
        work.note("fallback", question or "", "the built-in text")
        work.reply(Reply(text=NOT_UNDERSTOOD), question or "")
    if question is None:
        return complete(work)
    work.put(question=None)
    return question.id


def _enter(work: Work, dialog: Dialog) -> str | None:
    work.put(question=None)
    switch(work, dialog)
    return dialog.first


def _recognise_payload(work: Work, question: Interaction) -> None:
    """Tell which control the text came from: scripts can ask for its payload (CB: reference/scripting.md 1.4)."""
    kind = {"QUICK_REPLY": "quick_reply", "BUTTON": "button", "STRUCTURED": "button"}.get(question.kind)
    payload = work.position.payload
    if kind == "quick_reply" and payload is None:
        resolver = Resolver(work, question)
        said = work.position.text.strip().casefold()
        payloads = [resolver.text(reply.payload) for reply in question.quick_replies if reply.payload]
        payload = next((one for one in payloads if one.strip().casefold() == said), None)
    if kind == "button" and payload is None:
        payload = work.position.text
    work.put(payload=payload, payload_kind=kind)


def _assign(work: Work, interaction: Interaction, rule: Rule) -> None:
    for assignment in rule.assignments:
        named, value = work.find_variable(assignment.value.source.strip())
        if not named:
            value = Resolver(work, interaction).text(assignment.value)
        work.set_variable(assignment.name, value, assignment.scope)
        work.note("variable", interaction, f"{assignment.name} ({assignment.scope})", values={"value": value})


def _transfer(work: Work, interaction: Interaction, delay_ms: int) -> str | None:
    resolver = Resolver(work, interaction)
    text = resolver.text(interaction.text)
    skill = resolver.text(interaction.skill_id)
    agent = resolver.text(interaction.agent_id)
    work.note("transfer", interaction)
    work.do(Transfer(None if is_silent(text) else text, skill or None, agent or None, delay_ms))
    work.clear_stack()
    return None


def _close(work: Work, interaction: Interaction, *, survey: bool) -> str | None:
    work.note("close", interaction, "with a survey" if survey else "without a survey")
    work.do(Close(survey))
    work.clear_stack()
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
