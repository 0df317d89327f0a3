"""Compile interactions (CB: reference/dialogs.md 1.4)."""

from typing import Any

import msgspec

from shared.bot import export_tiles as raw
from shared.bot import widgets
from shared.bot.conditions import excluded
from shared.bot.export import Message
from shared.bot.kinds import QUESTIONS, STATEMENTS, interaction_kind
from shared.bot.links import Links
from shared.bot.model import (
    NO_TEXT,
    Button,
    Interaction,
    QuickReply,
    Tile,
)
from shared.bot.patterns import compile_pattern
from shared.bot.rules import compile_rules
from shared.bot.storable import storable
from shared.bot.templates import Template, compile_template

_MAX_DELAY_MS = 10_000
_MOST_PER_ROW = 8


def compile_interaction(message: Message, links: Links) -> Interaction:
    """Compile one interaction; what has no effect here becomes a finding."""
    content = message.content.results.tile.tile_data if message.content.results else []
    first = content[0] if content else raw.TileData()
    choices = first.multiple_choice or raw.MultipleChoice()
    escalation = first.escalation or raw.Escalation()
    kind = interaction_kind(message.interaction_type)
    if kind not in QUESTIONS and kind not in STATEMENTS:
        links.find("unsupported-interaction", message, f"{kind} is not supported: only its code and next action run")
    if links.names[message.name] != message.id:
        links.find("duplicate-name", message, "another interaction has this name; scripts reach only the first")
    made = Interaction(
        id=message.id,
        name=message.name,
        kind=kind,
        dialog_id=message.group,
        enabled=message.status != "INACTIVE",
        asks=kind in QUESTIONS and not (kind == "UNIVERSAL" and message.user_input_required is False),
        next_id=links.next_of(message),
        rules=compile_rules(message, links),
        tiles=tuple(_tile(tile) for tile in content),
        choices=tuple(compile_template(choice) for choice in choices.multiple_choices),
        choice_display=choices.display_choice,
        choice_style=choices.text_style,
        quick_replies=tuple(_quick_reply(reply) for reply in message.quick_replies or ()),
        replies_per_row=_per_row(first),
        card=_text(first.universal_widget.le_message_json) if first.universal_widget else None,
        integration_id=_integration(message, links),
        skill_id=_identifier(escalation.agent_skill_id),
        agent_id=_identifier(escalation.agent_id),
        patterns=tuple(compile_pattern(pattern) for pattern in message.pattern or ()),
        excluded=excluded(message.exclude_keywords),
        intent_id=message.intent_id,
        pre=message.pre_process_message or "",
        post=message.post_process_message or "",
        response=message.process_user_response or "",
        delay_ms=_delay(message, links),
        fallback=_fallback(message),
    )
    return _with_widgets(made, first)


def _with_widgets(made: Interaction, tile: raw.TileData) -> Interaction:
    return msgspec.structs.replace(
        made,
        picks=widgets.picks(tile),
        event=widgets.event(tile),
        failure=widgets.upload_failure(tile),
        variable=widgets.result_variable(tile),
        offers=widgets.offered_intents(tile),
    )


def _text(source: str | None) -> Template:
    return compile_template(source) if source else NO_TEXT


def _identifier(value: str | int | None) -> Template:
    return NO_TEXT if value is None else compile_template(str(value))


def _tile(tile: raw.TileData) -> Tile:
    return Tile(
        text=_text(tile.text),
        title=_text(tile.title),
        subtitle=_text(tile.sub_title),
        image=_text(tile.image),
        url=_text(tile.url or tile.item_url),
        buttons=tuple(_button(button) for button in tile.buttons),
    )


def _button(button: raw.Button) -> Button:
    return Button(
        label=_text(button.name),
        callback=_text(button.callback),
        link=button.type == "web_url",
        target=button.target or "blank",
        metadata=_metadata(button.metadata),
    )


def _quick_reply(reply: raw.QuickReply) -> QuickReply:
    return QuickReply(
        kind=reply.type,
        title=_text(reply.title),
        payload=_text(reply.payload) if reply.payload else None,
        metadata=_metadata(reply.metadata),
    )


def _metadata(given: Any) -> Any:
    """Return what a channel is told with a tap; what could not be carried is left out."""
    try:
        return storable(given)
    except ValueError:
        return None


def _per_row(tile: raw.TileData) -> int:
    try:
        wanted = int(tile.quick_reply_widget.choices_per_row) if tile.quick_reply_widget else _MOST_PER_ROW
    except ValueError:
        return _MOST_PER_ROW
    return min(max(1, wanted), _MOST_PER_ROW)


def _delay(message: Message, links: Links) -> int:
    try:
        wanted = int(message.interaction_delay or 0)
    except ValueError:
        links.find("bad-delay", message, "its interaction delay is not a number of milliseconds")
        return 0
    return min(max(wanted, 0), _MAX_DELAY_MS)


def _fallback(message: Message) -> Template | None:
    text = message.fallback_message or message.fallback_response
    return compile_template(text) if text else None


def _integration(message: Message, links: Links) -> str | None:
    """Resolve by id; by name only if the id is missing (R11)."""
    if message.interaction_type != "API_INTEGRATION":
        return None
    if message.content.responder_id:
        found = message.content.responder_id if message.content.responder_id in links.integrations else None
    else:
        found = links.integration_names.get(message.content.responder_name or "")
    if found is None:
        links.find("dangling-integration", message, "the integration it calls is not in this file")
    return found
