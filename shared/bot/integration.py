"""An integration: what a bot may call, compiled from the export's `responder[]` and the manifest."""

import msgspec

from shared.bot.templates import Placeholder, Template

UNSAFE_METHODS = frozenset({"POST", "PATCH"})
LONGEST_CALL = 300.0
MOST_REDIRECTS = 20
LARGEST_RESPONSE = 1024 * 1024


class Policy(msgspec.Struct, frozen=True):
    """How a call is made and repeated (design section 7). Times in seconds, sizes in bytes.

    `total_timeout` is the budget from the first attempt on; `attempt_timeout` None means what is left of it.
    """

    total_timeout: float = 20.0
    connect_timeout: float = 5.0
    attempt_timeout: float | None = None
    retries: int = 3
    backoff: float = 0.25
    backoff_max: float = 4.0
    success: tuple[int, ...] = (200, 201)
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

    `kind` is the export's `integrationType`; only `API` can be called. `variable` is the suffix of `api_…`.
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

    @property
    def placeholders(self) -> tuple[Placeholder, ...]:
        """List the placeholders of address, parameters, headers and body: what a call record must carry."""
        templates = [self.url, *(part for pair in (*self.params, *self.headers) for part in pair)]
        if self.body is not None:
            templates.append(self.body)
        return tuple(dict.fromkeys(hole for template in templates for hole in template.placeholders))


def check_policy(policy: Policy) -> list[str]:
    """Return what is impossible about a policy, one sentence each; empty when it can be carried out."""
    problems = [
        f"{name} is {getattr(policy, name)}: it must be more than 0 and at most {LONGEST_CALL:g} seconds"
        for name in ("total_timeout", "connect_timeout", "backoff", "backoff_max")
        if not 0 < getattr(policy, name) <= LONGEST_CALL  # refuses nan and inf, which TOML can write
    ]
    if policy.attempt_timeout is not None and not 0 < policy.attempt_timeout <= policy.total_timeout:
        problems.append(f"attempt_timeout is {policy.attempt_timeout}: it must lie between 0 and total_timeout")
    if policy.connect_timeout > policy.total_timeout:
        problems.append(f"connect_timeout is {policy.connect_timeout}: it must not exceed total_timeout")
    if not 0 <= policy.retries <= 10:
        problems.append(f"retries is {policy.retries}: it must lie between 0 and 10")
    if not 0 <= policy.redirects <= MOST_REDIRECTS:
        problems.append(f"redirects is {policy.redirects}: it must lie between 0 and {MOST_REDIRECTS}")
    if not 0 < policy.response_limit <= LARGEST_RESPONSE:
        problems.append(
            f"response_limit is {policy.response_limit}: it must lie between 1 and {LARGEST_RESPONSE} bytes"
        )
    if not policy.success:
        problems.append("success is empty: no answer could ever be a success")
    return problems
