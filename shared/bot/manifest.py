"""The manifest `<bot>.botlane.toml`: what an export does not carry (design section 6).

It is decoded strictly: a key nobody reads is an error that names it, since a typing mistake would otherwise be a
setting silently lost.
"""

import tomllib
from typing import Any, get_args

import msgspec

from shared.bot.domains import DomainPart, domain_problems, plain_variables
from shared.bot.durations import parse_duration
from shared.bot.egress import EgressPart, HostPart, egress_problems
from shared.bot.errors import BotError, place_and_problem
from shared.bot.integration import Policy
from shared.bot.manifest_credentials import KINDS, Credential, Secret, certificate_problem, secrets_written_out
from shared.bot.manifest_email import EmailPart, email_problems
from shared.bot.manifest_privacy import PrivacyPart, problem_of
from shared.bot.manifest_web_view import WebViewPart
from shared.bot.protection import LimitedPart, limits_problems
from shared.bot.statuses import expanded
from shared.bot.understanding import EntityPart, IntentPart, Understanding, UnderstandingPart, problems


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every table of the manifest: unknown keys are refused."""


class SessionPart(_Part, frozen=True):
    """`[session]`: `idle` is how long a session lives without the consumer."""

    idle: str = ""


class Limits(_Part, frozen=True):
    """`[limits]`: interactions without a question, in one dialog and across dialogs (CB: 10 and 5)."""

    chain: int = 10
    chain_across: int = 5


class IntegrationPart(LimitedPart, frozen=True):
    """`[integrations.NAME]`: how its calls are made; what is not set keeps the default of `Policy`."""

    credential: str = ""
    default_headers: bool | None = None
    total_timeout: float | None = None
    connect_timeout: float | None = None
    attempt_timeout: float | None = None
    retries: int | None = None
    backoff: float | None = None
    backoff_max: float | None = None
    retry_on: tuple[int | str, ...] | None = None
    success: tuple[int | str, ...] | None = None
    repeat_unsafe: bool | None = None
    idempotency_key: bool | None = None
    response_limit: int | None = None
    redirects: int | None = None

    def policy(self) -> Policy:
        """Merge what is set over the defaults, which give way: none is longer than what it is a part of."""
        named = {name: getattr(self, name) for name in Policy.__struct_fields__}
        policy = Policy(**{name: value for name, value in named.items() if value is not None})
        connect = policy.connect_timeout
        if self.connect_timeout is None:
            connect = min(connect, policy.total_timeout, policy.attempt_timeout or connect)
        backoff = policy.backoff if self.backoff is not None else min(policy.backoff, policy.backoff_max)
        return msgspec.structs.replace(
            policy,
            connect_timeout=connect,
            backoff=backoff,
            retry_on=expanded(policy.retry_on),
            success=expanded(policy.success),
        )


class Manifest(_Part, frozen=True):
    """A decoded manifest."""

    keep_types: bool = False
    greet: bool = False
    session: SessionPart = SessionPart()
    environment: dict[str, str | int | float | bool | DomainPart] = {}
    limits: Limits = Limits()
    credentials: dict[str, Credential] = {}
    integrations: dict[str, IntegrationPart] = {}
    hosts: dict[str, HostPart] = {}
    intents: dict[str, IntentPart] = {}
    entities: dict[str, EntityPart] = {}
    understanding: UnderstandingPart = UnderstandingPart()
    web_view: WebViewPart = WebViewPart()
    egress: EgressPart = EgressPart()
    privacy: PrivacyPart = PrivacyPart()
    email: EmailPart = EmailPart()

    @property
    def variables(self) -> dict[str, str]:
        """The environment, as the texts scripts and templates read, without what is looked up."""
        return plain_variables(self.environment)

    @property
    def understood(self) -> Understanding:
        """What texts are understood by."""
        part = self.understanding
        return Understanding(self.intents, self.entities, part.url, part.timeout)


msgspec.json.Decoder(Manifest)  # its parts are known from here on: two threads that learn a type together crash


def decode_manifest(text: str, file: str) -> Manifest:
    """Decode a manifest. Raises BotError naming the key and the remedy."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BotError(file, "", f"not TOML: {error}", "Mend the line it names") from error
    _refuse_secrets(tables, file)
    try:
        manifest = msgspec.convert(tables, Manifest)
    except msgspec.ValidationError as error:
        place, problem = place_and_problem(error)
        place = _with_name(place, tables)
        remedy = _allowed(place, tables) if "unknown field" in problem else _remedy(place)
        raise BotError(file, place, problem, remedy) from error
    _check(manifest, file)
    return manifest


def part_of(table: str) -> type[msgspec.Struct] | None:
    """Return the Struct of a table, or of the entries of one; None where any key may stand."""
    if not table:
        return Manifest
    return _inner(Manifest, table)


def _inner(part: type[msgspec.Struct], key: str) -> type[msgspec.Struct] | None:
    """Return the Struct behind a key, or behind its entries."""
    kinds = [field.type for field in msgspec.structs.fields(part) if field.name == key]
    found = [one for kind in kinds for one in (*get_args(kind), kind) if isinstance(one, type)]
    return next((one for one in found if issubclass(one, msgspec.Struct)), None)


def _remedy(place: str) -> str:
    if place.partition(".")[0] == "credentials":
        return f"A credential has a type ({', '.join(KINDS)}) and the keys of that type: docs/credentials.md"
    return "See docs/manifest.md for what it takes"


def _allowed(place: str, tables: dict[str, Any]) -> str:
    """Say which keys may stand at a place."""
    table, _, rest = ("" if place == "top level" else place).partition(".")
    part = part_of(table)
    if table == "credentials":
        name, _, key = rest.partition(".")
        part = Secret if key else KINDS.get(tables[table][name].get("type"))
    elif table == "environment":
        part = DomainPart
    elif part and table:
        part = _inner(part, rest.rpartition(".")[2]) or part
    keys = ", ".join(part.__struct_fields__) if part else "any"
    return f"The keys there are: {keys} (docs/manifest.md)"


def _with_name(place: str, tables: dict[str, Any]) -> str:
    """Put the name of the entry where msgspec says `[...]`: `integrations[...].retries`."""
    table, dots, rest = place.partition("[...]")
    for name, entry in tables.get(table, {}).items() if dots else ():
        try:
            msgspec.convert({table: {name: entry}}, Manifest)
        except msgspec.ValidationError:
            return f"{table}.{name}{rest}"
    return place


def _refuse_secrets(tables: dict[str, Any], file: str) -> None:
    """Refuse a secret itself where a reference belongs: the manifest is stored in Redis as it is."""
    place = secrets_written_out(tables.get("credentials"))
    if place is not None:
        remedy = 'Say where it is: { env = "…" }, { file = "…" } or { command = "…" }'
        raise BotError(file, f"credentials.{place}", "a secret stands in the manifest itself", remedy)


def _refuse_missing_credentials(manifest: Manifest, file: str) -> None:
    """Refuse an integration whose credential is not described: its calls would go out without one."""
    for name, part in manifest.integrations.items():
        if part.credential and part.credential not in manifest.credentials:
            there = ", ".join(sorted(manifest.credentials)) or "none"
            raise BotError(
                file,
                f"integrations.{name}.credential",
                f"there is no [credentials.{part.credential}]",
                f"Describe it, or name one that is there ({there})",
            )


def _refuse_missing_certificates(manifest: Manifest, file: str) -> None:
    """Refuse a credential whose certificate is not described as one."""
    problem = certificate_problem(manifest.credentials)
    if problem is not None:
        place, name = problem
        raise BotError(file, place, f"[credentials.{name}] is no mutual_tls", "Name one of that type, or none")


def _check(manifest: Manifest, file: str) -> None:
    _refuse_missing_credentials(manifest, file)
    _refuse_missing_certificates(manifest, file)
    for place, problem, remedy in (
        *problems(manifest.understood),
        *limits_problems(manifest.integrations, manifest.hosts),
        *egress_problems(manifest.egress, manifest.hosts),
        *email_problems(manifest.email, manifest.credentials),
        *domain_problems(manifest.environment),
    ):
        raise BotError(file, place, problem, remedy)
    if manifest.session.idle:
        try:
            parse_duration(manifest.session.idle)
        except ValueError as error:
            raise BotError(file, "session.idle", str(error), "Or leave it out for the export's own length") from error
    for name, count in (("chain", manifest.limits.chain), ("chain_across", manifest.limits.chain_across)):
        if count < 1:
            raise BotError(file, f"limits.{name}", f"{count} leaves no room for an interaction", "Give 1 or more")
    if problem := problem_of(manifest.privacy):
        raise BotError(file, "privacy.sensitive", problem, 'Name variables: ["card*", "email"]')
