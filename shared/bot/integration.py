"""An integration: what a bot may call, compiled from the export's `responder[]` and the manifest."""

from collections.abc import Iterator

import msgspec

from shared.bot.protection import Protection
from shared.bot.statuses import HIGHEST, LOWEST, unknown
from shared.bot.templates import Placeholder, Template

UNSAFE_METHODS = frozenset({"POST", "PATCH"})
REDIRECTS = frozenset({301, 302, 303, 307, 308})
REPEATABLE_FAILURES = ("unreachable", "lost", "timeout", "interrupted")
REPEATABLE: tuple[int | str, ...] = (408, 429, 500, 502, 503, 504, *REPEATABLE_FAILURES)
MAIL = "EMAIL"
LONGEST_CALL = 300.0
MOST_REDIRECTS = 5
MOST_RETRIES = 10
LARGEST_RESPONSE = 1024 * 1024


class Policy(msgspec.Struct, frozen=True):
    """How a call is made and repeated (design section 7). Times in seconds, sizes in bytes.

    `total_timeout` is the budget from the first attempt on; `attempt_timeout` None means what is left of it.
    `retry_on` has the statuses and failures after which a call may be made again at all.
    """

    total_timeout: float = 20.0
    connect_timeout: float = 5.0
    attempt_timeout: float | None = None
    retries: int = 3
    backoff: float = 0.25
    backoff_max: float = 4.0
    retry_on: tuple[int | str, ...] = REPEATABLE
    success: tuple[int | str, ...] = (200, 201)
    repeat_unsafe: bool = False
    idempotency_key: bool = True
    response_limit: int = 1024 * 1024
    redirects: int = 5


class CustomField(msgspec.Struct, frozen=True):
    """A custom data field: its key and the path into the result, `[i]` for every element."""

    key: str
    path: str


class Integration(msgspec.Struct, frozen=True):
    """One integration, ready to be rendered and called.

    `kind` is the export's `integrationType`; `API` and `EMAIL` can be called. `variable` is the suffix of `api_…`.
    The address of a mail is its server's, its `body` what the export says of it as JSON, `sender` the manifest's.
    `credential` is a name in the manifest; `consumer_token` is where the consumer's own token stands, when it is of
    that type.
    """

    id: str
    name: str
    kind: str
    variable: str
    method: str
    url: Template
    params: tuple[tuple[Template, Template], ...] = ()
    headers: tuple[tuple[Template, Template], ...] = ()
    body: Template | None = None
    default_headers: bool = True
    transform: str = ""
    fields: tuple[CustomField, ...] = ()
    policy: Policy = Policy()
    credential: str = ""
    consumer_token: Placeholder | None = None
    protection: Protection = Protection()
    sender: str = ""

    @property
    def uncallable(self) -> str:
        """Why it cannot be called, empty when it can."""
        if self.kind == MAIL:
            return "" if self.url.source else "the manifest names no mail server ([email] smtp)"
        return "" if self.kind == "API" else f"integrations of type {self.kind} cannot be called yet"

    @property
    def placeholders(self) -> tuple[Placeholder, ...]:
        """List the placeholders of address, parameters, headers and body: what a call record must carry."""
        templates = [self.url, *(part for pair in (*self.params, *self.headers) for part in pair)]
        if self.body is not None:
            templates.append(self.body)
        holes = [hole for template in templates for hole in template.placeholders]
        if self.consumer_token is not None:
            holes.append(self.consumer_token)
        return tuple(dict.fromkeys(holes))


def check_policy(policy: Policy) -> list[str]:
    """Return what is impossible about a policy, one sentence each; empty when it can be carried out."""
    problems = [*_times(policy), *_repeats(policy), *_statuses(policy)]
    if not 0 <= policy.redirects <= MOST_REDIRECTS:
        problems.append(f"redirects is {policy.redirects}: it must lie between 0 and {MOST_REDIRECTS}")
    if not 0 < policy.response_limit <= LARGEST_RESPONSE:
        problems.append(
            f"response_limit is {policy.response_limit}: it must lie between 1 and {LARGEST_RESPONSE} bytes"
        )
    return problems


def _times(policy: Policy) -> Iterator[str]:
    for name in ("total_timeout", "connect_timeout", "backoff", "backoff_max"):
        if not 0 < getattr(policy, name) <= LONGEST_CALL:  # refuses nan and inf, which TOML can write
            yield f"{name} is {getattr(policy, name)}: it must be more than 0 and at most {LONGEST_CALL:g} seconds"
    attempt = policy.attempt_timeout
    if attempt is not None and not 0 < attempt <= policy.total_timeout:
        yield f"attempt_timeout is {attempt}: it must lie between 0 and total_timeout"
    elif attempt is not None and policy.connect_timeout > attempt:
        yield f"connect_timeout is {policy.connect_timeout}: it must not exceed attempt_timeout"
    if policy.connect_timeout > policy.total_timeout:
        yield f"connect_timeout is {policy.connect_timeout}: it must not exceed total_timeout"
    if policy.backoff > policy.backoff_max:
        yield f"backoff is {policy.backoff}: it must not exceed backoff_max"


def _repeats(policy: Policy) -> Iterator[str]:
    if not 0 <= policy.retries <= MOST_RETRIES:
        yield f"retries is {policy.retries}: it must lie between 0 and {MOST_RETRIES}"
    if policy.repeat_unsafe and policy.retries == 0:
        yield "repeat_unsafe is set, and retries is 0: nothing is ever repeated"
    if not policy.retry_on and policy.retries > 0:
        yield f"retry_on is empty, and retries is {policy.retries}: nothing is ever repeated, which retries = 0 says"
    for one in unknown(policy.retry_on, REPEATABLE_FAILURES):
        words = ", ".join(REPEATABLE_FAILURES)
        yield f"retry_on has {one!r}: it takes statuses from {LOWEST} to {HIGHEST}, 5xx, {words}"


def _statuses(policy: Policy) -> Iterator[str]:
    if not policy.success:
        yield "success is empty: no answer could ever be a success"
    for one in unknown(policy.success):
        yield f"success has {one!r}: it takes statuses from {LOWEST} to {HIGHEST} and 2xx"
    both = set(policy.success) & set(policy.retry_on)
    if both and policy.retry_on != REPEATABLE:
        yield f"{min(map(str, both))} stands in success and in retry_on: a success is never repeated"
    followed = REDIRECTS & set(policy.success)
    if followed and policy.redirects > 0:
        yield f"success has {min(followed)}, and redirects are followed: no call ends so, unless redirects is 0"
