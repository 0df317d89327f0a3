"""A session as the fields of its hash: one msgpack value for each attribute, those at their default left out."""

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

import msgspec

from shared.dialog.session import Session

_encoder = msgspec.msgpack.Encoder()
_decoders = {field.name: msgspec.msgpack.Decoder(field.type) for field in msgspec.structs.fields(Session)}
_values = attrgetter(*_decoders)
_defaults: tuple[Any, ...] = _values(Session(version=""))


def read_session(fields: Mapping[str, bytes]) -> Session | None:
    """Return the session that `fields` hold; None when there is none, or when it is no session any more.

    Fields that this release does not know are left out: another one may have written them.
    """
    try:
        known = {name: _decoders[name].decode(raw) for name, raw in fields.items() if name in _decoders}
        return Session(**known)
    except (msgspec.DecodeError, TypeError):
        return None


def session_fields(session: Session) -> dict[str, bytes]:
    """Return the fields to store for a session."""
    fields = zip(_decoders, _values(session), _defaults, strict=True)
    return {name: _encoder.encode(value) for name, value, default in fields if value != default}


def changed_fields(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> tuple[dict[str, bytes], list[str]]:
    """Return the fields to set and the names of those to drop."""
    changed = {name: raw for name, raw in after.items() if before.get(name) != raw}
    return changed, [name for name in before if name not in after]
