"""What the scripts of a turn wrote to the context service, laid over what was loaded."""

from collections.abc import Collection
from typing import Any

import msgspec

from shared.dialog.scripts import ScriptEffect, SetContext


class _Written(msgspec.Struct):
    """Writes to one namespace: `loaded` before the first of them, `emptied` by one (what was loaded counts no more)."""

    loaded: bool
    emptied: bool = False
    values: dict[str, Any] = {}
    deleted: set[str] = set()


class Overlay:
    """Remembers the writes of one turn, by `scope|namespace`, so that its later scripts read them."""

    def __init__(self) -> None:
        self._written: dict[str, _Written] = {}

    def add(self, effects: list[ScriptEffect], loaded: Collection[str]) -> None:
        """Take over the context writes among the effects of a script that ran when `loaded` was there."""
        for effect in effects:
            if isinstance(effect, SetContext):
                key = f"{effect.scope}|{effect.namespace}"
                whole = key in loaded or effect.scope == "conversation"
                self._add(effect, self._written.setdefault(key, _Written(whole)))

    def over(self, loaded: dict[str, dict[str, Any]]) -> dict[str, tuple[bool, dict[str, Any]]]:
        """Combine: namespace to (all of it is known, its data). Deleted names of others are given as None.

        A namespace that a script wrote before it was loaded stays one that is not, though `loaded` may now hold it.
        """
        seen: dict[str, tuple[bool, dict[str, Any]]] = {key: (True, data) for key, data in loaded.items()}
        for key, written in self._written.items():
            whole = written.loaded or written.emptied
            data = dict(loaded.get(key, {})) if written.loaded and not written.emptied else {}
            for name in written.deleted:
                data.pop(name, None)
            gone = {} if whole else dict.fromkeys(written.deleted)
            seen[key] = (whole, gone | data | written.values)
        return seen

    def _add(self, effect: SetContext, written: _Written) -> None:
        if not effect.delete:
            written.values[str(effect.name)] = effect.value
            written.deleted.discard(str(effect.name))
        elif effect.name is None:
            written.emptied = True
            written.values.clear()
            written.deleted.clear()
        else:
            written.values.pop(effect.name, None)
            written.deleted.add(effect.name)
