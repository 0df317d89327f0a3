"""What stands in an export and is not read: its author learns what was passed over."""

from collections.abc import Iterator
from typing import Any

import msgspec

from shared.bot import export, export_tiles
from shared.bot.decoding import decode_freely

# What exports carry and nothing here needs (R22 and authoring metadata), in words by the Struct it stands in.
_PASSED_OVER: dict[type[msgspec.Struct], frozenset[str]] = {
    part: frozenset(words.split())
    for part, words in (
        (export.Export, "hash requiredContext menus platforms associatedDomains dialogTemplates"),
        (
            export.BotPart,
            """description status version entityDataSourceId skipNLP passThroughMode transcriptDisabled
            publicBot readOnly demo transferGroupId channel smallTalkEnabled creationTime modificationTime skills""",
        ),
        (
            export.Group,
            """chatBotId description creationTime modificationTime domainId disambiguteOnlySelectedDomains
            dialogTemplateIds""",
        ),
        (export.Message, "chatBotId type required changeResponse cancelResponse comment"),
        (export.Responder, "chatbotId group defaultValues results fileUrl tangoContextEnabled"),
        (export.GlobalFunctions, "chatBotId creationTime modificationTime"),
        (export_tiles.TileData, "quickReplyList"),
        (export_tiles.Tile, "sampleUserInput"),
        (export.Intent, "domainId domain type isLiveIntent intentOrigin modifiedBy"),
        (export_tiles.Button, "webviewHeightRatio"),
        (export_tiles.Escalation, "tangoContextEnabled"),
    )
}


def unknown_keys(content: bytes) -> Iterator[tuple[str, str]]:
    """Yield (place, key) for every key that is neither read nor known to be without effect."""
    yield from _unknown(decode_freely(content), export.Export, "")


def _unknown(raw: object, kind: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(raw, list):
        for index, item in enumerate(raw):
            yield from _unknown(item, kind, f"{place}[{index}]")
    if not isinstance(raw, dict):
        return
    fields = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
    for key, value in raw.items():
        below = f"{place}.{key}" if place else key
        if key in fields:
            inner = _struct_in(fields[key])
            if inner is not None:
                yield from _unknown(value, inner, below)
        elif key not in _PASSED_OVER.get(kind, ()):
            yield place or "top level", key


def _struct_in(kind: Any) -> Any:
    """Find the Struct inside `X`, `X | None`, `list[X]`, `list[X] | None`."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind
    for argument in getattr(kind, "__args__", ()):
        found = _struct_in(argument)
        if found is not None:
            return found
    return None
