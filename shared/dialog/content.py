"""What an interaction shows: its content as messages (CB: reference/dialogs.md 5.2, 6)."""

from collections.abc import Callable
from string import ascii_uppercase
from typing import Any

import msgspec

from shared.bot.model import Interaction, Tile
from shared.bot.storable import read_json
from shared.bot.templates import Template
from shared.dialog import rich
from shared.dialog.disambiguation import options
from shared.dialog.effects import Reply
from shared.dialog.pickers import pick_list
from shared.dialog.resolve import Resolver
from shared.dialog.texts import is_silent, split
from shared.dialog.work import Work

_ROOTS = frozenset({"vertical", "horizontal", "carousel", "text", "image", "button", "map", "list"})
# Channels on which a list of choices is text (reference/dialogs.md 6).
_TEXT_CHANNELS = frozenset(
    {"lp_sms", "sms", "twilio_sms", "lp_whatsapp", "lp_abc", "lp_line", "lp_twitter", "lp_instagram"}
)
_ROOTS_SELECT = frozenset({"carouselSelect", "accordionSelect", "tabs", "linkPreview", "keyValuePairList"})


def render(work: Work, interaction: Interaction) -> list[Reply]:
    """Return the messages of an interaction, without its delay."""
    renderer = _RENDERERS.get(interaction.kind)
    if renderer is None:
        work.warn("unsupported-interaction", interaction, f"{interaction.kind} is not shown: only its code runs")
        return []
    return renderer(work, interaction, Resolver(work, interaction))


def coded_replies(replies: list[str]) -> dict[str, Any] | None:
    """Return quick replies given by a script as `Title~payload` texts (at most ten)."""
    buttons = []
    for reply in replies[: rich.MAX_CARDS]:
        title, _, payload = reply.partition("~")
        if title.strip():
            buttons.append(rich.say_button(title.strip(), payload.strip() or title.strip()))
    return rich.quick_replies(buttons, 8) if buttons else None


def spoken(work: Work, text: str) -> list[Reply]:
    """Return the messages a text becomes: none when it is silent, several when it is long (R16)."""
    if is_silent(text):
        return []
    return [Reply(text=part, delay_ms=delay) for part, delay in split(text, whole=work.position.long_text)]


def _texts(work: Work, interaction: Interaction, resolver: Resolver) -> list[Reply]:
    return spoken(work, resolver.text(interaction.text))


def with_replies(replies: list[Reply], quick_replies: dict[str, Any] | None) -> list[Reply]:
    """Hang quick replies on the last message."""
    if quick_replies is None or not replies:
        return replies
    last = replies[-1]
    if last.quick_replies is not None:
        joined = [*last.quick_replies["replies"], *quick_replies["replies"]]
        quick_replies = {**last.quick_replies, "replies": joined}
    return [*replies[:-1], msgspec.structs.replace(last, quick_replies=quick_replies)]


def _quick_replies(interaction: Interaction, resolver: Resolver) -> dict[str, Any] | None:
    buttons = []
    for reply in interaction.quick_replies:
        title = resolver.text(reply.title)
        payload = resolver.text(reply.payload) if reply.payload else ""
        label = title or ("Share location" if reply.kind == "location" else payload)
        if label.strip():
            buttons.append(rich.say_button(label, payload or label, reply.metadata))
    return rich.quick_replies(buttons, interaction.replies_per_row) if buttons else None


def _nothing(_work: Work, _interaction: Interaction, _resolver: Resolver) -> list[Reply]:
    return []


def _private(work: Work, interaction: Interaction, resolver: Resolver) -> list[Reply]:
    work.note("private-message", interaction, values={"text": resolver.text(interaction.text)})
    return []


def _with_quick_replies(work: Work, interaction: Interaction, resolver: Resolver) -> list[Reply]:
    return with_replies(_texts(work, interaction, resolver), _quick_replies(interaction, resolver))


def _image(_work: Work, interaction: Interaction, resolver: Resolver) -> list[Reply]:
    url = resolver.text(interaction.tiles[0].url) if interaction.tiles else ""
    return [Reply(content=rich.image(url))] if url.strip() else []


def _link(_work: Work, interaction: Interaction, resolver: Resolver) -> list[Reply]:
    """Return an Apple rich link: a picture and a button that opens the address."""
    tile = interaction.tiles[0] if interaction.tiles else None
    uri = resolver.text(tile.url).strip() if tile is not None else ""
    if tile is None or not uri:
        return []
    title, image = resolver.text(tile.title).strip(), resolver.text(tile.image)
    elements = [rich.image(image, title)] if image.strip() else []
    return [Reply(content=rich.vertical([*elements, rich.link_button(title or uri, uri, "blank")]))]


def _offers(work: Work, interaction: Interaction, resolver: Resolver) -> list[Reply]:
    text = resolver.text(interaction.text)
    elements = [] if is_silent(text) else [rich.text(text)]
    elements += [rich.say_button(option, option) for option in options(work, interaction)]
    return [Reply(content=rich.vertical(elements))] if elements else []


def _survey(work: Work, interaction: Interaction, resolver: Resolver) -> list[Reply]:
    """Return the question of a survey as what it carries: choices, quick replies, buttons, or just its text."""
    if interaction.choices:
        return _choices(work, interaction, resolver)
    if any(tile.buttons for tile in interaction.tiles):
        return _buttons(work, interaction, resolver)
    return _with_quick_replies(work, interaction, resolver)


def _buttons(_work: Work, interaction: Interaction, resolver: Resolver) -> list[Reply]:
    if not interaction.tiles:
        return []
    tile = interaction.tiles[0]
    text = resolver.text(tile.text)
    elements = [] if is_silent(text) else [rich.text(text)]
    elements += _tile_buttons(tile, resolver)
    return [Reply(content=rich.vertical(elements))] if elements else []


def _tile_buttons(tile: Tile, resolver: Resolver) -> list[dict[str, Any]]:
    elements = []
    for button in tile.buttons:
        label, callback = resolver.text(button.label), resolver.text(button.callback)
        if not label.strip():
            continue
        if button.link:
            elements.append(rich.link_button(label, callback, button.target, button.metadata))
        else:
            elements.append(rich.say_button(label, callback or label, button.metadata))
    return elements


def _structured(_work: Work, interaction: Interaction, resolver: Resolver) -> list[Reply]:
    """One card a tile; a tile that names an array field is repeated for each element (R10, at most ten cards)."""
    cards = []
    for tile in interaction.tiles:
        sizes = [size for template in _templates(tile) for size in [resolver.length(template)] if size is not None]
        copies = [resolver.at(index) for index in range(min(max(sizes), rich.MAX_CARDS))] if sizes else [resolver]
        cards += [card for copy in copies for card in [_card(tile, copy)] if card is not None]
    return [Reply(content=rich.cards(cards))] if cards else []


def _templates(tile: Tile) -> list[Template]:
    buttons = [template for button in tile.buttons for template in (button.label, button.callback)]
    return [tile.title, tile.subtitle, tile.image, tile.text, *buttons]


def _card(tile: Tile, resolver: Resolver) -> dict[str, Any] | None:
    elements: list[dict[str, Any]] = []
    image = resolver.text(tile.image)
    if image.strip():
        elements.append(rich.image(image, resolver.text(tile.title)))
    for template, tag in ((tile.title, "title"), (tile.subtitle, "subtitle"), (tile.text, None)):
        text = resolver.text(template)
        if not is_silent(text):
            elements.append(rich.text(text, tag))
    elements += _tile_buttons(tile, resolver)
    return {**rich.vertical(elements), "tag": "generic"} if elements else None


def _choices(work: Work, interaction: Interaction, resolver: Resolver) -> list[Reply]:
    choices = [resolver.text(choice).strip() for choice in interaction.choices]
    if work.conversation.channel in _TEXT_CHANNELS:
        lines = [f"{_mark(interaction, at)}{choice}" for at, choice in enumerate(choices) if choice]
        return spoken(work, "\n".join([resolver.text(interaction.text), *lines]))
    buttons = [rich.say_button(choice, choice) for choice in choices if choice]
    if "QUICK" in interaction.choice_display.upper():
        hanging = rich.quick_replies(buttons, interaction.replies_per_row) if buttons else None
        return with_replies(_texts(work, interaction, resolver), hanging)
    text = resolver.text(interaction.text)
    elements = ([] if is_silent(text) else [rich.text(text)]) + buttons
    return [Reply(content=rich.vertical(elements))] if elements else []


def _mark(interaction: Interaction, at: int) -> str:
    style = interaction.choice_style.upper()
    if style.startswith("LETTER") and at < len(ascii_uppercase):
        return f"{ascii_uppercase[at]}. "
    return f"{at + 1}. " if style.startswith("NUMBER") else ""


def _universal(work: Work, interaction: Interaction, resolver: Resolver) -> list[Reply]:
    """Show a card given as JSON text; what is no card is traced and not shown."""
    if interaction.card is None:
        return []
    source = resolver.json(interaction.card)
    if is_silent(source):
        return []
    try:
        card = read_json(source)
    except ValueError:
        work.warn("invalid-content", interaction, "its card is not JSON once its variables are filled in")
        return []
    quick = None
    if isinstance(card, dict) and isinstance(card.get("quickReplies"), dict):
        quick = card["quickReplies"]
        text = card.get("message") or card.get("text")
        if isinstance(text, str):
            return [Reply(text=text, quick_replies=quick)]
    if not isinstance(card, dict) or str(card.get("type")) not in _ROOTS | _ROOTS_SELECT:
        work.warn("invalid-content", interaction, "its card has no known type")
        return []
    return [Reply(content=card, quick_replies=quick)]


_RENDERERS: dict[str, Callable[[Work, Interaction, Resolver], list[Reply]]] = {
    "DIALOG_STARTER": _nothing,
    "TEXT": _texts,
    "IMAGE": _image,
    "APPLE_RICHLINK": _link,
    "PRIVATE_MESSAGE": _private,
    "ESCALATION": _nothing,
    "ORCHESTRATOR": _nothing,
    "TEXT_QUESTION": _texts,
    "QUICK_REPLY": _with_quick_replies,
    "BUTTON": _buttons,
    "STRUCTURED": _structured,
    "MULTIPLE_CHOICE_QUESTION": _choices,
    "UNIVERSAL": _universal,
    "LIST_PICKER": pick_list,
    "TIME_PICKER": pick_list,
    "FILE_UPLOAD": _texts,
    "SURVEY": _survey,
    "DISAMBIGUATION": _offers,
}
