"""`[email]`: where the mails of E-mail integrations go, and in whose name."""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import msgspec

from shared.bot.manifest_credentials import Basic, Credential

SCHEMES = ("smtp", "smtps", "smtp+plain")
ADDRESS = re.compile(
    r"[^@\s<>,;:\"()\[\]\\\x00-\x20\x7f-\U0010ffff]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?"
)


class EmailPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[email]`: the server, the sender, and the credential (of type `basic`) it is logged in to with."""

    smtp: str = ""
    sender: str = ""
    credential: str = ""


def email_problems(part: EmailPart, credentials: Mapping[str, Credential]) -> Iterator[tuple[str, str, str]]:
    """Yield what cannot be: place, problem, remedy."""
    if part.smtp and not _is_server(part.smtp):
        remedy = "Write it like smtp://mail.example.com:587 or smtps://mail.example.com"
        yield "email.smtp", "it is no smtp, smtps or smtp+plain address of a host and, perhaps, a port", remedy
    if not part.smtp and (part.sender or part.credential):
        yield "email.smtp", "there is none", "Name the mail server, or leave the table out"
    address = part.sender.rpartition("<")[2].removesuffix(">").strip()
    if part.sender and (not ADDRESS.fullmatch(address) or not part.sender.isprintable()):
        remedy = "Write it like bot@example.com or Shop <bot@example.com>"
        yield "email.sender", "it is no address that mail can come from", remedy
    if part.credential and not isinstance(credentials.get(part.credential), Basic):
        remedy = 'Describe it: type = "basic", username and password'
        yield "email.credential", f"there is no [credentials.{part.credential}] of type basic", remedy


def _is_server(address: str) -> bool:
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return False
    plain = not (parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc)
    return parts.scheme in SCHEMES and bool(parts.hostname) and port != 0 and plain and address.isascii()
