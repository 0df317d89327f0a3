"""LivePerson rich content (reference/surroundings.md 4), built from values. Pure shapes, no templates."""

from typing import Any

MAX_CARDS = 10
_TITLE = 128
_PUBLISHED = 256


def text(value: str, tag: str | None = None) -> dict[str, Any]:
    """Return a text element."""
    element: dict[str, Any] = {"type": "text", "text": value, "tooltip": value[:_PUBLISHED]}
    if tag:
        element["tag"] = tag
    return element


def image(url: str, name: str = "") -> dict[str, Any]:
    """Return an image element; `name` says what it shows, for those who do not see it."""
    element = {"type": "image", "url": url}
    return {**element, "tooltip": name[:_PUBLISHED]} if name.strip() else element


def say_button(label: str, said: str, metadata: Any = None) -> dict[str, Any]:
    """Return a button that makes the consumer say something."""
    return _button(label, {"type": "publishText", "text": said[:_PUBLISHED]}, metadata)


def link_button(label: str, uri: str, target: str, metadata: Any = None) -> dict[str, Any]:
    """Return a button that opens an address."""
    return _button(label, {"type": "link", "name": label[:_TITLE], "uri": uri, "target": target}, metadata)


def _button(label: str, action: dict[str, Any], metadata: Any) -> dict[str, Any]:
    click: dict[str, Any] = {"actions": [action]}
    if isinstance(metadata, list) and metadata:
        click["metadata"] = metadata
    return {"type": "button", "tooltip": label[:_PUBLISHED], "title": label[:_TITLE], "click": click}


def vertical(elements: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a card of elements below each other."""
    return {"type": "vertical", "elements": elements}


def cards(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return one card as it is, several as a carousel (at most ten)."""
    if len(found) == 1:
        return found[0]
    return {"type": "carousel", "padding": 10, "elements": found[:MAX_CARDS]}


def quick_replies(replies: list[dict[str, Any]], per_row: int) -> dict[str, Any]:
    """Return the quick replies of a message."""
    return {"type": "quickReplies", "itemsPerRow": per_row, "replies": replies}
