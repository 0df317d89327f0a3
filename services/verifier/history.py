"""What was seen from outside, and nothing else: what was sent and answered, what was heard, what can be read again.

Times are seconds of the client's own steady clock. Numbers name what was sent in one conversation, from 1; every
text holds its number, so that an answer tells what it answers.
"""

from typing import Literal

import msgspec

Kind = Literal["say", "ask", "order", "choose", "form", "set"]
Outcome = Literal["accepted", "duplicate", "refused", "unknown"]
"""`unknown`: the connection died, or the gateway could not tell (503): it may have been taken or not."""


class Attempt(msgspec.Struct, frozen=True):
    """One try to send something. `sequence` is its place in the conversation, as the gateway said; 0 if it did not."""

    begun: float
    ended: float
    outcome: Outcome
    sequence: int = 0
    status: int = 0

    @property
    def taken(self) -> bool:
        """Whether the gateway said that the conversation has it."""
        return self.outcome in ("accepted", "duplicate")


class Sent(msgspec.Struct, frozen=True):
    """Something sent under one id, however often.

    `form` posts the number as the variable `v` together with a message, `set` without one; both by the Web View
    address, which knows a repeat for two seconds only.
    """

    number: int
    kind: Kind
    attempts: list[Attempt]

    @property
    def text(self) -> str:
        """What the consumer reads of it."""
        return f"{self.kind} {self.number}"


class Heard(msgspec.Struct, frozen=True):
    """A message of the conversation; `client_id` is the id that its sender gave it."""

    sequence: int
    sender: str
    text: str
    at: float = 0.0
    client_id: str = ""


class Listening(msgspec.Struct):
    """One connection that listened from the cursor `after` on; `gap` says that messages were trimmed unheard."""

    after: int
    heard: list[Heard] = []
    gap: bool = False


class Talk(msgspec.Struct):
    """The history of one conversation. `stored` is what could be read at the end, from the start."""

    id: str
    sent: list[Sent] = []
    listened: list[Listening] = []
    stored: list[Heard] = []
    trimmed: bool = False


class Stall(msgspec.Struct, frozen=True, gc=False):
    """How many seconds an answer took from acceptance, and `at` which second of the load that was.

    `behind_call`: it waited for a call, its own or an earlier one.
    """

    seconds: float
    at: float
    conversation: str
    text: str
    behind_call: bool = False


class Violation(msgspec.Struct, frozen=True):
    """A promise that was broken. `kind` is a word or two, `what` a sentence."""

    conversation: str
    kind: str
    what: str


def message_id(conversation_id: str, number: int) -> str:
    """Return the id under which a message is sent, however often."""
    return f"{conversation_id}#{number}"
