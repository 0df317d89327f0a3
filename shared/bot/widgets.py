"""Read the parts of tiles that no export seen has: lists, times, uploads, searches (CB: reference/dialogs.md 5.2, 5.3).

The documents name what they hold but not the keys, so the likely ones are tried and anything odd counts as absent.
"""

from collections.abc import Iterator
from typing import Any

from shared.bot.export_tiles import TileData
from shared.bot.model import NO_TEXT, Pick
from shared.bot.templates import Template, compile_template

_UPLOAD_FAILED = "Failed to process the file. Please try again."
_KNOWLEDGE_RESULT = "kb_search"


def picks(tile: TileData) -> tuple[Pick, ...]:
    """Return what a list picker or a time picker offers."""
    if tile.list_picker or tile.list_picker_widget:
        return tuple(_list_items(_table(tile.list_picker, tile.list_picker_widget)))
    return tuple(_times(_table(tile.time_picker, tile.time_picker_widget)))


def event(tile: TileData) -> Template:
    """Return what the time of a time picker is for."""
    widget = _table(tile.time_picker, tile.time_picker_widget)
    return _template(widget, "eventTitle", "title", "eventName", "name")


def upload_failure(tile: TileData) -> Template:
    """Return what is said when a file could not be taken."""
    widget = _table(tile.file_upload, tile.file_upload_widget)
    found = _template(widget, "failureMessage", "failedMessage", "errorMessage")
    return found if found.source else compile_template(_UPLOAD_FAILED)


def result_variable(tile: TileData) -> str:
    """Return the name of the variable that holds what a knowledge search found."""
    return _text(_table(tile.faq_tile_widget), "responseDataVariable") or _KNOWLEDGE_RESULT


def offered_intents(tile: TileData) -> int:
    """Return how many intents a disambiguation offers: two or three."""
    widget = _table(tile.disambiguation, tile.disambiguation_widget)
    written = _text(widget, "numberOfIntents", "noOfIntents", "intentCount", "maxIntents")
    return 2 if written == "2" else 3


def _list_items(widget: dict[str, Any]) -> Iterator[Pick]:
    sections = widget.get("sections")
    if not isinstance(sections, list):
        sections = [{"items": widget.get("items", widget.get("listItems"))}]
    for section in sections:
        known = _table(section)
        items = known.get("items", known.get("listItems"))
        for item in items if isinstance(items, list) else ():
            pick = _item(item, _text(known, "title", "name"))
            if pick is not None:
                yield pick


def _item(item: Any, section: str) -> Pick | None:
    if isinstance(item, str):
        item = {"title": item}
    title = _template(_table(item), "title", "name", "text")
    return Pick(title, _template(_table(item), "subtitle", "subTitle"), section) if title.source else None


def _times(widget: dict[str, Any]) -> Iterator[Pick]:
    event_part = _table(widget.get("event"))
    slots = widget.get("timeslots", widget.get("timeSlots", event_part.get("timeslots")))
    for slot in slots if isinstance(slots, list) else ():
        start = _template(_table(slot), "startTime", "start", "time")
        if start.source:
            yield Pick(start)


def _table(*candidates: Any) -> dict[str, Any]:
    return next((one for one in candidates if isinstance(one, dict)), {})


def _text(table: dict[str, Any], *keys: str) -> str:
    found = next((table[key] for key in keys if isinstance(table.get(key), str | int)), "")
    return str(found).strip()


def _template(table: dict[str, Any], *keys: str) -> Template:
    found = _text(table, *keys)
    return compile_template(found) if found else NO_TEXT
