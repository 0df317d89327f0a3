"""What the scripts of a turn wrote to the context service, laid over what was loaded."""

from typing import Any

import msgspec

from shared.dialog.scripts import ScriptEffect, SetContext


class _Written(msgspec.Struct):
    """Writes to one namespace: `emptied` says that what was loaded no longer counts."""

    emptied: bool = False
    values: dict[str, Any] = {}
    deleted: set[str] = set()


class Overlay:
    """Remembers the writes of one turn, by `scope|namespace`, so that its later scripts read them."""

    def __init__(self) -> None:
        self._written: dict[str, _Written] = {}

    def add(self, effects: list[ScriptEffect]) -> None:
        """Take over the context writes among a script's effects."""
        for effect in effects:
            if isinstance(effect, SetContext):
                self._add(effect)

    def over(self, loaded: dict[str, dict[str, Any]]) -> dict[str, tuple[bool, dict[str, Any]]]:
        """Combine: namespace to (all of it is known, its data). Deleted names of others are given as None."""
        seen: dict[str, tuple[bool, dict[str, Any]]] = {key: (True, data) for key, data in loaded.items()}
        for key, written in self._written.items():
            whole = written.emptied or key in loaded or key.startswith("conversation|")
            data = {} if written.emptied else dict(loaded.get(key, {}))
            for name in written.deleted:
                data.pop(name, None)
            gone = {} if whole else dict.fromkeys(written.deleted)
            seen[key] = (whole, gone | data | written.values)
        return seen

    def _add(self, effect: SetContext) -> None:
        written = self._written.setdefault(f"{effect.scope}|{effect.namespace}", _Written())
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
