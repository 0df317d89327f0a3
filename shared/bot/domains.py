"""Variables of `[environment]` that are the base URI of a LivePerson service, looked up at run time.

`msgHist = { domain = "msgHist", account = "12345678" }`; what is found is a host, as `va.msghist.liveperson.net`.
"""

import re
from collections.abc import Iterator, Mapping

import msgspec

from shared.bot.values import text_of

# What clients of LivePerson's are seen to ask for; names are case-sensitive, and others may exist.
SERVICES = (
    *("accountConfigReadOnly", "accountConfigReadWrite", "agentManagerWorkspace", "agentVep", "asyncMessaging"),
    *("asyncMessagingEnt", "auditLog", "coreAIIntent", "engHistDomain", "etool", "facadeMsg", "faasGW", "faasUI"),
    *("idp", "leDataReporting", "liveEngageUI", "lp-mlsapi", "mavenContext", "messagingRestApiDomain", "msdkgw"),
    *("msgEwtAPI", "msgHist", "pusher", "rtbf", "sentinel", "smt", "swift", "visitorFeed"),
)
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_VARIABLE = re.compile(r"\{\$env\.([^{}\s]+)\}")


class DomainPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The service, and whose: an account, `{$env.NAME}` for another variable's value, or "" for the installation's."""

    domain: str
    account: str = ""


class Domain(msgspec.Struct, frozen=True):
    """What has to be looked up; `account` "" stands for the installation's own."""

    service: str
    account: str


Environment = Mapping[str, str | int | float | bool | DomainPart]


def plain_variables(environment: Environment) -> dict[str, str]:
    """Return the variables that are given, as the texts scripts and templates read."""
    return {name: text_of(value) for name, value in environment.items() if not isinstance(value, DomainPart)}


def domains_of(environment: Environment) -> dict[str, Domain]:
    """Return those to be looked up, of an environment in which `domain_problems` found nothing."""
    given = plain_variables(environment)
    return {
        name: Domain(part.domain, _account(part, given))
        for name, part in environment.items()
        if isinstance(part, DomainPart)
    }


def domain_problems(environment: Environment) -> Iterator[tuple[str, str, str]]:
    """Yield what cannot be carried out: (key of the manifest, problem, remedy)."""
    given = plain_variables(environment)
    for name, part in environment.items():
        if not isinstance(part, DomainPart):
            continue
        if not _NAME.fullmatch(part.domain):
            yield f"environment.{name}.domain", f"{part.domain!r} is no service", 'Name one, such as "msgHist"'
        found = _VARIABLE.fullmatch(part.account)
        if found and found[1] not in given:
            remedy = "Give the account, or name a variable whose value stands in [environment]"
            yield f"environment.{name}.account", f"there is no value of {found[1]}", remedy
        elif part.account and not _NAME.fullmatch(_account(part, given)):
            remedy = 'Give its number, or "{$env.NAME}" for the value of a variable'
            yield f"environment.{name}.account", "it is no account", remedy


def _account(part: DomainPart, given: Mapping[str, str]) -> str:
    found = _VARIABLE.fullmatch(part.account)
    return given.get(found[1], "").strip() if found else part.account
