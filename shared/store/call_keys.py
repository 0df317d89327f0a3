"""The keys of what calls share: limits, tokens, consents, look-ups. The table of all keys is in keys.py."""

from urllib.parse import quote


def guards() -> str:
    """Sorted set: guard (of a host, of an integration) to the moment when it was last asked."""
    return "guards:{protection}"


def guard(name: str) -> list[str]:
    """Return the keys of one guard: its hash, permits, line, starts and what is planned (protection/_guards.lua)."""
    kinds = ("guard", "permits", "line", "starts", "planned")
    return [f"{kind}:{{protection}}:{quote(name, safe='*:')}" for kind in kinds]


def told(worker: str) -> str:
    """List: tickets of an integration worker that should ask again."""
    return f"told:{{protection}}:{worker}"


def living(worker: str) -> str:
    """Return the key of the string that says when an integration worker last said that it lives."""
    return f"living:{{protection}}:{worker}"


def domain(account: str, service: str) -> list[str]:
    """Return the keys of a service that is looked up: the string with its host, and who looks it up."""
    tagged = f"{{{quote(account, safe='')}|{quote(service, safe='')}}}"
    return [f"domain:{tagged}", f"domain-lock:{tagged}"]


def token(name: str) -> str:
    """Return the key of the string with the token of a credential (`credentials.naming`), sealed."""
    return f"token:{{{name}}}"


def token_failed(name: str) -> str:
    """Return the key of the string that says why there was no token."""
    return f"token-failed:{{{name}}}"


def token_grant(name: str) -> str:
    """Return the key of the string with the refresh token that a consent gave, sealed."""
    return f"token-grant:{{{name}}}"


def token_lock(name: str) -> str:
    """Return the key of the string that says who fetches the token."""
    return f"token-lock:{{{name}}}"


def consent(name: str) -> str:
    """Return the key of the string with a consent on its way, sealed; its name is the hash of its state."""
    return f"consent:{name}"
