"""What a test file says, as values: scenarios of steps, fixtures, and the stubs that answer for integrations."""

from pathlib import Path
from typing import Any

import msgspec

from services.tester.marked import Place

FAILURES = (
    *("timeout", "unreachable", "lost", "interrupted", "late", "refused", "invalid", "credential", "too_large"),
    *("breaker_open", "limited"),
)


class Said(msgspec.Struct, frozen=True):
    """One message of the consumer: a text, a tap, or what starts a dialog.

    `tap` is a control of what the bot showed: its title, or its number from 1. `starter` is the name of a starter,
    whose first pattern is said. `intents` are what the text means, with scores from 0 to 1, whatever understands it.
    """

    text: str = ""
    payload: str | None = None
    metadata: tuple[dict[str, Any], ...] = ()
    tap: str | int | None = None
    starter: str | None = None
    intents: dict[str, float] = {}


class UserStep(msgspec.Struct, frozen=True):
    """The consumer writes; several messages are sent without waiting for answers."""

    place: Place
    messages: tuple[Said, ...]


class WebViewStep(msgspec.Struct, frozen=True):
    """An external form posts; `refused`: and has to be told that it may not."""

    place: Place
    variables: dict[str, str]
    message: str | None = None
    refused: bool = False


class AdvanceStep(msgspec.Struct, frozen=True):
    """Time goes on by so many milliseconds."""

    place: Place
    ms: int


class BotStep(msgspec.Struct, frozen=True):
    """The bot says one thing; every condition that is set has to hold. `interaction` takes all it says in a row."""

    place: Place
    text: str | None = None
    contains: str | None = None
    matches: str | None = None
    rich: dict[str, Any] | None = None
    quick_replies: tuple[str, ...] | None = None
    interaction: str | None = None


class NothingStep(msgspec.Struct, frozen=True):
    """The bot says nothing (more)."""

    place: Place


class TransferStep(msgspec.Struct, frozen=True):
    """The conversation goes to people; `text` and `skill` are compared when they are given."""

    place: Place
    text: str | None = None
    skill: str | None = None


class ClosedStep(msgspec.Struct, frozen=True):
    """The conversation ends; `survey` is compared when it is given."""

    place: Place
    survey: bool | None = None


class VariablesStep(msgspec.Struct, frozen=True):
    """Variables have these values; None: unset."""

    place: Place
    values: dict[str, Any]


Step = UserStep | WebViewStep | AdvanceStep | BotStep | NothingStep | TransferStep | ClosedStep | VariablesStep


class ExpectedRequest(msgspec.Struct, frozen=True):
    """What a request has to be; what is None is not looked at, `query` and `headers` may have more than is named."""

    place: Place
    method: str | None = None
    path: str | None = None
    url: str | None = None
    query: dict[str, str] = {}
    headers: dict[str, str] = {}
    body: str | None = None
    json: Any = msgspec.UNSET


class StubAnswer(msgspec.Struct, frozen=True):
    """How one attempt of a call ends: an answer, or one of `FAILURES`; `delay_ms` passes before it."""

    place: Place
    status: int = 200
    headers: dict[str, str] = {}
    body: str = ""
    failure: str | None = None
    delay_ms: int = 0
    request: ExpectedRequest | None = None


class Stub(msgspec.Struct, frozen=True):
    """What answers for one integration: one answer for every call, or a sequence with one for each call."""

    place: Place
    answers: tuple[StubAnswer, ...]
    sequence: bool


class Profile(msgspec.Struct, frozen=True):
    """Who the consumer is. The names are those of the HTTP interface."""

    channel: str = "lp_web"
    user_id: str = ""
    engagement: dict[str, str] = {}
    customer_info: dict[str, Any] | None = None
    personal_info: dict[str, Any] | None = None


class Setting(msgspec.Struct, frozen=True):
    """What a conversation finds: what fixtures and a test case lay down, the later over the earlier."""

    variables: dict[str, Any] = {}
    environment: dict[str, str] = {}
    profile: dict[str, Any] = {}
    stubs: dict[str, Stub] = {}

    def over(self, earlier: "Setting") -> "Setting":
        """Lay this setting over another."""
        return Setting(
            earlier.variables | self.variables,
            earlier.environment | self.environment,
            earlier.profile | self.profile,
            earlier.stubs | self.stubs,
        )


class Scenario(msgspec.Struct, frozen=True):
    """One test case."""

    place: Place
    name: str
    bot: Path
    manifest: Path | None
    setting: Setting
    steps: tuple[Step, ...]
