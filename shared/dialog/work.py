"""The working state of one turn: a session taken apart, and what the turn has produced so far.

Only this module changes things; it lives as long as one call of `advance`.
"""

from typing import Any

import msgspec

from shared.bot.model import Bot, Interaction
from shared.dialog.effects import Close, ContextWrite, Effect, Reopen, Reply, StartCall, Transfer
from shared.dialog.events import ConsumerMessage, Entity, Understood, WebViewCall
from shared.dialog.receipts import Receipts
from shared.dialog.scripts import Scripts, SetContext
from shared.dialog.session import Conversation, Frame, Position, Session
from shared.dialog.texts import closing
from shared.dialog.trace import TraceLine
from shared.dialog.variables import Variables, as_texts

MAX_REPLIES = 100
# Below the worker's limits of 1 MiB and 4 MiB, which count what surrounds a message or a variable as well.
_EFFECTS = 1_000_000
_SESSION = 3_500_000
_OVERHEAD = 300
# The context service's own limit (CB: reference/surroundings.md).
_NAMESPACE = 800_000
_MAX_TRACE_LINES = 500


class OpenFrame:
    """One dialog on the stack, while the turn runs."""

    def __init__(self, frame: Frame) -> None:
        self.dialog_id = frame.dialog_id
        self.interaction_id = frame.interaction_id
        self.variables = dict(frame.variables)
        self.entities: list[Entity] = list(frame.entities)

    def closed(self) -> Frame:
        """Return it as it is kept."""
        return Frame(self.dialog_id, self.interaction_id, self.variables, self.entities)


class Work:
    """What a turn reads and changes."""

    def __init__(
        self,
        bot: Bot,
        session: Session,
        conversation: Conversation,
        scripts: Scripts,
        abandon: frozenset[str],
        turn: int,
    ) -> None:
        self.bot = bot
        self.conversation = conversation
        self.scripts = scripts
        self.abandon = abandon
        self.turn = turn
        self.now = 0
        self.position = session.position
        self.stack = [OpenFrame(frame) for frame in session.position.stack]
        self.variables = Variables(session.request, session.session, session.forever)
        self.web_view = dict(session.web_view)
        self.receipts = Receipts(session.receipts)
        self.results = dict(session.results)
        self.context: dict[str, dict[str, Any]] = {}
        self.effects: list[Effect] = []
        self.trace: list[TraceLine] = []
        self.ordinal = 0
        self.script_us = 0
        self.routed_by_script = False
        self.stopped_expressions = 0
        self.is_closed = False
        self.was_reset = False
        self._replies = 0
        self._effects_left = _EFFECTS
        self._room = _SESSION - len(msgspec.msgpack.encode(session))
        self.enter_frame()

    # -- position ---------------------------------------------------------------------------------------------------

    def put(self, **changes: Any) -> None:
        """Change fields of the position."""
        self.position = msgspec.structs.replace(self.position, **changes)

    def enter_frame(self) -> None:
        """Make the dialog variables those of the running dialog."""
        self.variables.dialog = self.stack[-1].variables if self.stack else {}

    def begin_message(self, event: ConsumerMessage | WebViewCall) -> None:
        """Open a message scope (CB: reference/scripting.md 1.1; design section 4, "Types")."""
        keep_types = self.bot.keep_types
        self.variables.begin_message(keep_types=keep_types)
        if not keep_types:
            for frame in self.stack:
                frame.variables = as_texts(frame.variables)
        self.enter_frame()
        self.put(payload_kind=None, starter_intent=None, understood=event.understood, since=event.at)
        self.put(chain=0, chain_across=0)
        if isinstance(event, ConsumerMessage):
            self.put(text=event.payload or event.text, payload=event.payload, metadata=event.metadata)
        else:
            self.put(text=event.message or "", payload=None, metadata=[])
        self._note_understood(event.understood)

    def reset(self) -> None:
        """Forget the session but for what is kept forever: a new one begins."""
        self.was_reset = True
        self.stack = []
        self.variables = Variables({}, {}, self.variables.forever)
        self.web_view.clear()
        self.receipts.origins.clear()
        self.results.clear()
        self.position = Position(since=self.now)
        self.enter_frame()

    def session(self) -> Session:
        """Put the session together again."""
        self.put(stack=[frame.closed() for frame in self.stack])
        return Session(
            version=self.bot.version,
            position=self.position,
            request=self.variables.request,
            session=self.variables.session,
            forever=self.variables.forever,
            web_view=self.web_view,
            receipts=self.receipts.origins,
            results=self.results,
        )

    # -- what comes out ---------------------------------------------------------------------------------------------

    def note(
        self,
        code: str,
        interaction: Interaction | str = "",
        note: str = "",
        *,
        facts: dict[str, str | int | float | bool] | None = None,
        values: dict[str, Any] | None = None,
    ) -> None:
        """Add a line to the trace."""
        self._add_line(TraceLine(code, _name(interaction), note, "info", facts or {}, values or {}))

    def warn(
        self, code: str, interaction: Interaction | str = "", note: str = "", *, values: dict[str, Any] | None = None
    ) -> None:
        """Add a warning to the trace."""
        self._add_line(TraceLine(code, _name(interaction), note, "warning", {}, values or {}))

    def _note_understood(self, understood: Understood) -> None:
        """Trace what was understood of the text: the likeliest intents, and the names of the entities."""
        if understood.failure:
            self.warn("understanding-failed", "", understood.failure)
        elif understood.intents or understood.entities:
            likely: dict[str, str | int | float | bool] = {one.name: one.score for one in understood.intents[:3]}
            self.note("understood", facts=likely, values={"entities": understood.entities})

    def _add_line(self, line: TraceLine) -> None:
        if len(self.trace) < _MAX_TRACE_LINES:
            self.trace.append(line)
        elif len(self.trace) == _MAX_TRACE_LINES:
            self.trace.append(TraceLine("refused", "", "the trace of this turn ends here: it is too long", "warning"))

    def reply(self, reply: Reply, interaction: Interaction | str = "") -> None:
        """Send one message, up to the limits of a turn; one that is a system text closes the conversation instead."""
        if self.is_closed:
            return
        survey = closing(reply.text or "")
        if survey is not None:
            self.close(interaction, survey=survey)
            return
        if self._replies >= MAX_REPLIES or not self._takes(reply):
            self.warn("refused", interaction, f"a turn sends at most {MAX_REPLIES} messages and 1 MB: one is dropped")
            return
        self._replies += 1
        self.effects.append(reply)
        self.note("reply", interaction, "rich" if reply.content else "text", values={"message": reply})

    def start(self, call: StartCall) -> bool:
        """Start a call; False when what it carries is larger than a turn may carry."""
        if not self._takes(call):
            return False
        self.effects.append(call)
        return True

    def close(self, interaction: Interaction | str, *, survey: bool) -> None:
        """Close the conversation: nothing of this turn comes after it."""
        self.note("close", interaction, "with a survey" if survey else "without a survey")
        self.effects.append(Close(survey))
        self.is_closed = True
        self.clear_stack()

    def do(self, effect: Transfer | Reopen) -> None:
        """Change the conversation's status."""
        self.effects.append(effect)

    def _takes(self, effect: Reply | StartCall | ContextWrite) -> bool:
        size = len(msgspec.json.encode(effect)) + _OVERHEAD
        if size > self._effects_left:
            return False
        self._effects_left -= size
        return True

    def write_context(self, write: SetContext) -> None:
        """Write to the context service: later scripts of the turn see it, COMMIT carries it out."""
        value = None if write.delete or write.name is None else msgspec.json.encode(write.value).decode()
        if value is not None and not self._namespace_holds(write, value):
            self.warn("refused", "", f"context data hold at most {_NAMESPACE:,} characters: one write is dropped")
            return
        if not self._write(ContextWrite(write.scope, write.namespace, write.name, value, write.ttl_ms)):
            return
        space = self.context.setdefault(f"{write.scope}|{write.namespace}", {})
        if write.name is None:
            space.clear()
        elif write.delete:
            space.pop(write.name, None)
        else:
            space[write.name] = write.value

    def _namespace_holds(self, write: SetContext, value: str) -> bool:
        """Tell whether there is room for a value. All of a conversation's own data are loaded with every turn."""
        one = f"{write.scope}|{'' if write.scope == 'conversation' else write.namespace}"
        held = {
            key: {name: held for name, held in space.items() if name != write.name}
            for key, space in self.context.items()
            if key == one or (write.scope == "conversation" and key.startswith(one))
        }
        return len(msgspec.json.encode(held)) + len(value) <= _NAMESPACE

    def _write(self, write: ContextWrite) -> bool:
        if not self._takes(write):
            self.warn("refused", "", "a turn writes at most 1 MB to the context service: one write is dropped")
            return False
        self.effects.append(write)
        return True

    # -- what is kept -----------------------------------------------------------------------------------------------

    def find_variable(self, name: str) -> tuple[bool, Any]:
        """Return whether a name has a value, and the value: a variable, else a custom data field of a call."""
        found, value = self.variables.get(name)
        if found:
            return True, value
        value = self.results.get(name)
        return value is not None, value

    def set_variable(self, name: str, value: Any, scope: str) -> None:
        """Set a variable; one kept forever is written to the consumer's own data as well."""
        if not self._has_room(self.variables.of(scope), name, value):
            return
        if scope == "forever":
            text = None if value is None else msgspec.json.encode(value).decode()
            if not self._write(ContextWrite("forever", "", name, text)):
                return
        self.variables.set(name, value, scope)

    def keep_fields(self, fields: dict[str, Any]) -> None:
        """Keep the custom data fields of a call."""
        self.results.update(
            {name: value for name, value in fields.items() if self._has_room(self.results, name, value)}
        )

    def keep_form(self, variables: dict[str, str], receipt: str) -> None:
        """Keep what an external form posted."""
        kept = {name: value for name, value in variables.items() if self._has_room(self.web_view, name, value)}
        self.web_view.update(kept)
        self._room -= self.receipts.keep(kept, receipt)

    def _has_room(self, held: dict[str, Any], name: str, value: Any) -> bool:
        """Tell whether the session may hold a value, and count it."""
        grows = _size(name, value) - (_size(name, held[name]) if name in held else 0)
        if grows > self._room:
            self.warn("refused", "", "the session has no room for more: a value is not kept", values={"name": name})
            return False
        self._room -= grows
        return True

    # -- the flow ends ----------------------------------------------------------------------------------------------

    def clear_stack(self) -> None:
        """Forget where the conversation stood: the next message goes to the starters (R7)."""
        self.stack = []
        self.enter_frame()
        self.put(question=None, call=None, call_id=None, offered=[])


def _name(interaction: Interaction | str) -> str:
    return interaction if isinstance(interaction, str) else interaction.name


def _size(name: str, value: Any) -> int:
    return len(name) + len(msgspec.json.encode(value))
