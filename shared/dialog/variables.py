"""Variables of one turn by scope: request, dialog, session, forever (CB: reference/dialogs.md 5.4).

A name is looked up from the narrowest scope to the widest. Setting a variable takes its name out of the narrower
scopes, so that what was set last is what is read.
"""

from typing import Any

from shared.bot.values import text_of

_ORDER = ("request", "dialog", "session", "forever")


class Variables:
    """The variables a turn works on; `dialog` is exchanged when the running dialog changes."""

    def __init__(self, request: dict[str, Any], session: dict[str, Any], forever: dict[str, Any]) -> None:
        self.request = dict(request)
        self.dialog: dict[str, Any] = {}
        self.session = dict(session)
        self.forever = dict(forever)

    def get(self, name: str) -> tuple[bool, Any]:
        """Return whether the variable is set, and its value."""
        for scope in _ORDER:
            held: dict[str, Any] = getattr(self, scope)
            if name in held:
                return True, held[name]
        return False, None

    def of(self, scope: str) -> dict[str, Any]:
        """Return the variables of a scope (one of the four; anything else counts as `session`)."""
        held: dict[str, Any] = getattr(self, scope if scope in _ORDER else "session")
        return held

    def set(self, name: str, value: Any, scope: str) -> None:
        """Set a variable in a scope (see `of`)."""
        for narrower in _ORDER[: _ORDER.index(scope if scope in _ORDER else "session")]:
            self.of(narrower).pop(name, None)
        self.of(scope)[name] = value

    def merged(self) -> dict[str, Any]:
        """Return what scripts see: every name with the value of its narrowest scope."""
        return {**self.forever, **self.session, **self.dialog, **self.request}

    def scopes(self) -> dict[str, str]:
        """Return the scope of every variable that is not (only) a request variable."""
        wider = {name: scope for scope in reversed(_ORDER) for name in getattr(self, scope)}
        return {name: scope for name, scope in wider.items() if scope != "request"}

    def begin_message(self, *, keep_types: bool) -> None:
        """Open a message scope: request variables end, the others become text unless the bot keeps types."""
        self.request = {}
        if not keep_types:
            self.session = as_texts(self.session)
            self.forever = as_texts(self.forever)


def as_texts(variables: dict[str, Any]) -> dict[str, Any]:
    """Return variables as they survive a message scope: as text; null becomes unset (design section 4)."""
    return {
        name: value if isinstance(value, str) else text_of(value)
        for name, value in variables.items()
        if value is not None
    }
