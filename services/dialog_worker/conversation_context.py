"""Context data of one conversation, as the fields of its hash: `<namespace>|<name>`, both percent-encoded, to JSON."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, unquote

import msgspec

from shared.dialog.effects import ContextWrite
from shared.queue.records import ContextField

SCOPE = "conversation"


def read_context(fields: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
    """Return the data by `conversation|<namespace>` and name."""
    context: dict[str, dict[str, Any]] = {}
    for field, raw in fields.items():
        namespace, _, name = field.partition("|")
        context.setdefault(f"{SCOPE}|{unquote(namespace)}", {})[unquote(name)] = msgspec.json.decode(raw)
    return context


def context_fields(writes: Iterable[ContextWrite], stored: Iterable[str], *, now: int) -> list[ContextField]:
    """Return the last write to each field; deleting a namespace names all its fields, those in `stored` too.

    `now` is in ms: a write with a `ttl_ms` expires that long after it.
    """
    written: dict[str, ContextField] = {}
    for write in writes:
        prefix = f"{quote(write.namespace, safe='')}|"
        if write.name is None:
            for field in {*stored, *written}:
                if field.startswith(prefix):
                    written[field] = ContextField(field, None)
            continue
        field = prefix + quote(write.name, safe="")
        value = None if write.value is None else write.value.encode()
        written[field] = ContextField(field, value, now + write.ttl_ms if write.ttl_ms and value else 0)
    return list(written.values())


def apply_fields(stored: dict[str, bytes], written: Iterable[ContextField]) -> None:
    """Bring `stored` up to date with what a turn has written."""
    for field in written:
        if field.value is None:
            stored.pop(field.field, None)
        else:
            stored[field.field] = field.value
