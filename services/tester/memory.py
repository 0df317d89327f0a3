"""What Redis keeps for one consumer, in memory and on a clock of its own: the same rules as design section 5.

Times are milliseconds; nothing here waits. Values expire when the clock has passed them, not before.
"""

from collections import deque
from typing import Any

import msgspec

from services.tester.form_tokens import PageToken
from shared.dialog.effects import Close, ContextWrite, Effect, Reopen, Reply, Transfer
from shared.dialog.events import CallOutcome, ConsumerMessage, Event, WebViewCall
from shared.dialog.scripts import MINTED
from shared.dialog.session import Conversation, Session

START = 1_800_000_000_000
"""When every test begins: 2027-01-15 08:00 UTC."""
DAY_MS = 24 * 3600 * 1000
FOREVER_MS = 180 * DAY_MS
LONGEST_MS = 396 * DAY_MS
CONVERSATION_MS = 7 * DAY_MS
_TURN_MS = 1000


class Kept(msgspec.Struct, frozen=True):
    """A value and when it expires."""

    value: Any
    until: int


class Memory:
    """One consumer's conversation with everything that outlives a turn."""

    def __init__(self, conversation: Conversation, session_ms: int, forever: dict[str, Any]) -> None:
        self.conversation = conversation
        self.now = START
        self.turn = 0
        self.session: Session | None = None
        self._session_ms = session_ms
        self._sequence = 0
        self._number = 1
        self._session_until = 0
        self._touched = START
        self._last_message = START
        self._inbox: deque[Event] = deque()
        self.page_token = PageToken()
        self._forever = {name: Kept(value, START + FOREVER_MS) for name, value in forever.items()}
        self._context: dict[str, dict[str, Kept]] = {}

    # -- what comes in --------------------------------------------------------------------------------------------

    def advance(self, ms: int) -> None:
        """Let time go on; after seven idle days the conversation is gone, and the consumer begins another."""
        self.now += ms
        if self.now - self._touched <= CONVERSATION_MS:
            return
        self._number += 1
        self._touched, self._sequence, self.turn, self.session = self.now, 0, 0, None
        self._context = {key: space for key, space in self._context.items() if not key.startswith("conversation|")}
        self._know(id=f"0-{self._number:032x}", status="open", asked=0)

    def accept(self, event: ConsumerMessage | WebViewCall) -> None:
        """Put an event into the inbox, stamped as INGEST stamps it."""
        self.now += _TURN_MS
        speaks = isinstance(event, ConsumerMessage) or event.message is not None
        late = isinstance(event, WebViewCall) and speaks and self.now - self._last_message > DAY_MS
        if speaks and not late:
            self._sequence += 1
        new = self._session_until < self.now
        stamped = msgspec.structs.replace(event, at=self.now, sequence=self._sequence, new_session=new)
        if isinstance(stamped, WebViewCall):
            stamped = msgspec.structs.replace(stamped, late=late)
        else:
            self._last_message = self.now
        self._inbox.append(stamped)
        self._touched = self.now
        self._session_until = self.now + self._session_ms

    def next(self) -> Event | None:
        """Take the event that has waited longest."""
        return self._inbox.popleft() if self._inbox else None

    def come_back(self, outcome: CallOutcome, after_ms: int) -> CallOutcome:
        """Stamp what became of a call that took so long."""
        self.now += after_ms
        return msgspec.structs.replace(outcome, at=self.now)

    # -- what a turn reads ----------------------------------------------------------------------------------------

    def begin_session(self) -> None:
        """Forget the session that is over."""
        self.session = None

    def forever(self) -> dict[str, Any]:
        """Return the variables kept forever."""
        return self._alive(self._forever)

    def context(self, key: str) -> dict[str, Any]:
        """Return the data of `conversation|ns`, `user|ns` or `global|ns`, and a token for a form that opens nothing."""
        if key.startswith(MINTED):
            return self.page_token.make(key, self.now)
        return self._alive(self._context.get(key, {}))

    def own_context(self) -> set[str]:
        """Name the conversation's own data, which is always loaded."""
        return {key for key in self._context if key.startswith("conversation|")}

    def _alive(self, space: dict[str, Kept]) -> dict[str, Any]:
        return {name: kept.value for name, kept in space.items() if kept.until > self.now}

    # -- what a turn wants ----------------------------------------------------------------------------------------

    def commit(self, session: Session, effects: list[Effect]) -> None:
        """Store what a turn made."""
        self.session = session
        self.turn += 1
        asks = False
        for effect in effects:
            match effect:
                case Reply():
                    self._sequence += 1
                    asks = asks or effect.asks
                case Transfer():
                    self._sequence += 1
                    self._know(status="transferred")
                case Close():
                    self._sequence += 1
                    self._know(status="closed")
                    self._inbox.clear()
                case Reopen():
                    self._know(status="open")
                case ContextWrite():
                    self._write(effect)
                case _:
                    pass
        if asks:
            self._know(asked=self._sequence)

    def _write(self, write: ContextWrite) -> None:
        forever = write.scope == "forever"
        space = self._forever if forever else self._context.setdefault(f"{write.scope}|{write.namespace}", {})
        if write.name is None:
            space.clear()
        elif write.value is None:
            space.pop(write.name, None)
        else:
            longest = FOREVER_MS if forever else LONGEST_MS
            ms = min(write.ttl_ms, longest) if write.ttl_ms > 0 else longest
            space[write.name] = Kept(msgspec.json.decode(write.value), self.now + ms)

    def _know(self, **changes: Any) -> None:
        self.conversation = msgspec.structs.replace(self.conversation, **changes)
