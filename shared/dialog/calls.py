"""Calls of integrations: what a call record carries, and what its outcome becomes (CB: reference/dialogs.md 4.2)."""

from typing import Any

import msgspec

from shared.bot.integration import Integration
from shared.bot.model import Interaction
from shared.bot.secret_names import shown_headers
from shared.dialog.effects import StartCall
from shared.dialog.events import CallOutcome
from shared.dialog.panels import Panel, run_panel
from shared.dialog.resolve import Resolver
from shared.dialog.results import custom_fields, parse_outcome
from shared.dialog.work import Work

# The body, which the trace has as well, must not be kept from it by what was read from it.
_MOST_SHOWN = 64 * 1024
_STANDARD_HEADERS = "__standardHeaders__"


def start_call(work: Work, interaction: Interaction) -> bool:
    """Start the call of an interaction and let the conversation wait; False when it cannot be called at all."""
    integration = work.bot.integrations.get(interaction.integration_id or "")
    if integration is None:
        work.warn("unsupported-integration", interaction, "its integration is missing from the export: the call fails")
    elif integration.uncallable:
        work.warn("unsupported-integration", interaction, f"{integration.uncallable}: the call fails")
    if integration is None or integration.uncallable:
        return False
    resolver = Resolver(work, interaction)
    values: dict[str, Any] = {hole.expression: resolver.value(hole) for hole in integration.placeholders}
    found, standard = work.variables.get(_STANDARD_HEADERS)
    if found:
        values[f"$botContext.{_STANDARD_HEADERS}"] = standard
    if not work.start(StartCall(integration.id, values)):
        work.warn("refused", interaction, "what its request would carry is larger than 1 MB: the call fails")
        return False
    work.note("call", interaction, integration.name, facts={"method": integration.method})
    work.put(question=None, call=interaction.id, call_id=f"{work.conversation.id}.{work.turn}")
    return True


def fail_call(work: Work, interaction: Interaction) -> Panel:
    """Let a call that could not be started fail like any other: scripts see its status, post-process runs."""
    panel, _ = take_outcome(work, interaction, CallOutcome("", failure="refused"))
    return panel


def take_outcome(work: Work, interaction: Interaction, outcome: CallOutcome) -> tuple[Panel, bool]:
    """Store what a call brought, run transform and post-process; return what they want and whether it succeeded."""
    work.put(call=None, call_id=None, api_success=False, api_status=str(outcome.status))
    panel = Panel()
    integration = work.bot.integrations.get(interaction.integration_id or "")
    if integration is not None:
        _trace(work, interaction, integration, outcome)
        _store(work, interaction, integration, outcome, panel)
    if not panel.is_stopped():
        run_panel(work, interaction.name, "post", interaction.post, panel)
    return panel, work.position.api_success


def _store(work: Work, interaction: Interaction, integration: Integration, outcome: CallOutcome, panel: Panel) -> None:
    api, status, problem = parse_outcome(integration, outcome)
    if problem:
        work.warn("invalid-content", interaction, f"{problem}: its body is kept as text")
    variable = f"api_{integration.variable}"
    work.set_variable(variable, api, "request")
    work.set_variable(f"{variable}Status", status, "request")
    work.put(api_success=outcome.status in integration.policy.success)
    if outcome.status:
        run_panel(work, integration.name, "transform", integration.transform, panel)
    _, held = work.variables.get(variable)
    json_data = held.get("jsonData") if isinstance(held, dict) else None
    fields = custom_fields(integration, json_data if isinstance(json_data, str) else "")
    work.keep_fields(fields)
    if fields:
        fits = len(msgspec.json.encode(fields)) <= _MOST_SHOWN
        work.note("fields", interaction, "" if fits else "too much to show", values=fields if fits else {})


def _trace(work: Work, interaction: Interaction, integration: Integration, outcome: CallOutcome) -> None:
    facts: dict[str, str | int | float | bool] = {
        "method": outcome.method,
        "status": outcome.status,
        "success": outcome.status in integration.policy.success,
        "attempts": len(outcome.attempts),
        "ms": round(sum(attempt.ms for attempt in outcome.attempts), 1),
    }
    if any(attempt.renewed for attempt in outcome.attempts):
        facts["renewed"] = True
    note = f"{outcome.failure}: {outcome.failure_detail}".rstrip(": ") if outcome.failure else ""
    values: dict[str, Any] = {"address": outcome.address, "attempts": outcome.attempts, "body": outcome.body}
    if outcome.request is not None:
        values |= {"request": outcome.request, "headers": shown_headers(outcome.headers)}
    work.note("outcome", interaction, note, facts=facts, values=values)
