"""What can happen to a conversation: the events a turn handles.

An event is data. Its sequence, acceptance time and `new_session` stamp are given by Redis when it is accepted
(design: INGEST, RESULT), never by the clock of a program. Times are milliseconds since the epoch.
"""

from typing import Any

import msgspec


class Intent(msgspec.Struct, frozen=True):
    """An intent a text may have: its name in the manifest (an intent's name or id) and how sure that is, 0 to 1.

    CB's bands: very good from 0.9, good from 0.7, fair plus from 0.5 (`shared.dialog.matching`).
    """

    name: str
    score: float


class Entity(msgspec.Struct, frozen=True):
    """An entity found in a text: its name without `@`, the words that stand for it, and its data value."""

    name: str
    phrase: str
    value: str


class Understood(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an understander made of a text: intents, best first, and entities in order.

    `failure` says, without values, why there are none although somebody was asked.
    """

    intents: list[Intent] = []
    entities: list[Entity] = []
    failure: str = ""


class ConsumerMessage(msgspec.Struct, frozen=True, tag="message", omit_defaults=True):
    """The consumer wrote something or tapped a control.

    `text` is what was written, or the label of the control; `payload` is the hidden value of a tapped control. `busy`
    says that it was accepted while an earlier event was still being handled (R15).
    """

    text: str
    payload: str | None = None
    metadata: list[dict[str, Any]] = []
    understood: Understood = Understood()
    busy: bool = False
    sequence: int = 0
    at: int = 0
    new_session: bool = False


class WebViewCall(msgspec.Struct, frozen=True, tag="web_view", omit_defaults=True):
    """An external form posted variables and, perhaps, a message (CB: reference/scripting.md 6).

    `late` says that the message came more than 24 hours after the consumer's last one: it is not routed. `busy` is as
    in a consumer's message. `sealed` has variables and message while they wait in the inbox of a bot that names
    sensitive ones (shared/privacy/forms.py). `receipt` is where its form's owner is told what became of it; it is the
    last field in the inbox, where scripts find it (shared/queue/_receipts.lua).
    """

    variables: dict[str, str] = {}
    message: str | None = None
    understood: Understood = Understood()
    late: bool = False
    busy: bool = False
    sequence: int = 0
    at: int = 0
    new_session: bool = False
    sealed: str = ""
    receipt: str = ""


class Attempt(msgspec.Struct, frozen=True, omit_defaults=True):
    """One try of a call: when it began, how long it took, and how it ended (`200`, `unreachable`, …).

    `sent` is how many requests went out: none to a host that was not reached, one more for every redirect that was
    followed. What an interrupted one sent is not known: it counts as one. `renewed`: the one before it ended with 401
    and a new token was fetched, which is no retry. `waited` are the ms that it had to wait, for places within the
    limits of its hosts and integration, before `at` and at redirects; they are no part of `ms`.
    """

    at: int
    ms: float
    outcome: str
    sent: int = 1
    renewed: bool = False
    waited: float = 0


class SentRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """The request of a call as people may see it: secrets and sensitive values are masked already.

    `cut` is how many characters of the body are left out at its end.
    """

    method: str
    address: str
    headers: dict[str, str] = {}
    body: str = ""
    cut: int = 0


class CallOutcome(msgspec.Struct, frozen=True, tag="outcome", omit_defaults=True):
    """What became of the call the conversation waits for.

    `status` is the HTTP status, or 0 when there was no answer; then `failure` is one word: `timeout`, `unreachable`,
    `interrupted`, `late`, `lost`, `refused` (address or egress), `invalid` (the request could not be rendered),
    `credential` (a secret is missing, or no token was given for it), `too_large`, `breaker_open`, `limited` (no place
    in time). `failure_detail` is a sentence for the trace, without values. `request` is there if a console shows it.
    """

    call_id: str
    status: int = 0
    headers: dict[str, str] = {}
    body: str = ""
    failure: str | None = None
    failure_detail: str = ""
    attempts: list[Attempt] = []
    method: str = ""
    address: str = ""
    sequence: int = 0
    at: int = 0
    new_session: bool = False
    request: SentRequest | None = None


Event = ConsumerMessage | WebViewCall | CallOutcome
