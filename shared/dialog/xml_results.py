"""XML answers as the JSON that bots read: `@name` for an attribute, `#text` for text beside others, lists for repeats.

Read by the standard library's expat, event by event: a turn process has to start with little, and the libraries for
this bring half an HTTP client along. Documents that declare anything of their own (entities, default attributes) are
refused, so none can grow; nothing outside of the document is ever loaded.
"""

from collections.abc import Collection
from typing import Any
from xml.parsers import expat

import msgspec

from shared.bot.storable import LEVELS

Path = tuple[str, ...]


class XmlRefused(Exception):  # noqa: N818 - a verdict about the answer, not a fault of ours
    """The text is no XML that can be read. The message says why, without values."""


def is_xml(body: str, content_type: str) -> bool:
    """Tell whether an answer is meant to be XML data: by its type, or by how it begins if its type says nothing."""
    media_type = content_type.partition(";")[0].strip().lower()
    if "html" in media_type or "json" in media_type:
        return False
    return "xml" in media_type or body[:200].lstrip("\ufeff \t\r\n").startswith("<?xml")


def xml_json(text: str, listed: Collection[Path] = ()) -> str:
    """Return the JSON text of a document. Raises XmlRefused.

    Elements whose path of names, from the root on, is `listed` are lists even when there is only one.
    """
    reader = _Reader(frozenset(listed))
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = reader.doctype
    parser.SkippedEntityHandler = reader.skipped
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(text.lstrip("\ufeff").strip().encode(), True)
    except expat.ExpatError as error:
        raise XmlRefused(f"the answer is not well-formed XML: {expat.errors.messages[error.code]}") from None
    except UnicodeEncodeError:
        raise XmlRefused("the answer has half characters") from None
    return msgspec.json.encode(reader.document).decode()


class _Reader:
    """What expat reports becomes values: one open element a level."""

    def __init__(self, listed: frozenset[Path]) -> None:
        self.document: dict[str, Any] = {}
        self._listed = listed
        self._path: list[str] = []
        self._open: list[tuple[dict[str, Any], list[str]]] = [(self.document, [])]

    def doctype(self, _name: str, _system: str | None, _public: str | None, has_declarations: int) -> None:
        if has_declarations:
            raise XmlRefused("the answer is XML with declarations of its own (entities, for one), which are not read")

    def skipped(self, _name: str, _is_parameter: int) -> None:
        raise XmlRefused("the answer is XML with an entity that is not known")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) > LEVELS:
            raise XmlRefused(f"the answer is XML nested deeper than {LEVELS} levels")
        self._path.append(name)
        self._open.append(({f"@{key}": value for key, value in attributes.items()}, []))

    def text(self, text: str) -> None:
        self._open[-1][1].append(text)

    def end(self, name: str) -> None:
        members, pieces = self._open.pop()
        text = "".join(pieces).strip()
        if members and text:
            members["#text"] = text
        self._add(name, members or text or None)
        self._path.pop()

    def _add(self, name: str, value: Any) -> None:
        siblings = self._open[-1][0]
        if name not in siblings:
            siblings[name] = [value] if tuple(self._path) in self._listed else value
        elif isinstance(siblings[name], list):
            siblings[name].append(value)
        else:
            siblings[name] = [siblings[name], value]
