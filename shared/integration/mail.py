"""What a mail says: an E-mail integration and values in, address of the server, headers and text out. Pure.

The export holds the parts of a mail as JSON text (CB: reference/dialogs.md 1.10). A value may fill an address, but not
add a recipient or a header. The text takes values as they are, as in CB, in HTML too.
"""

import re
from collections.abc import Mapping
from email.utils import getaddresses
from typing import Any, Final, NamedTuple

import msgspec

from shared.bot.integration import Integration
from shared.bot.manifest_email import ADDRESS
from shared.bot.templates import Placeholder, compile_template
from shared.bot.values import text_of
from shared.integration.filling import InvalidRequest, line_of, value_of, whole_characters

MOST_RECIPIENTS: Final = 20
_LONGEST_TEXT: Final = 1024 * 1024
_LONGEST_LINE: Final = 998
_SEPARATORS = re.compile(r'[,;:<>()"\\]')


class Mail(NamedTuple):
    """The address of the mail server, the mail's headers, and its text."""

    address: str
    headers: dict[str, str]
    text: bytes


class _Parts(msgspec.Struct, frozen=True):
    """What the export says of a mail; what else stands there is of no use here."""

    to: str = ""
    subject: str = ""
    body: str = ""
    sender: str = msgspec.field(name="from", default="")
    reply_to: str | None = msgspec.field(name="replyTo", default=None)
    is_html: bool | str | None = msgspec.field(name="htmlEmail", default=None)


def render_mail(integration: Integration, values: Mapping[str, Any]) -> Mail:
    """Render a mail. Raises InvalidRequest when a value cannot stand where the template puts it."""
    try:
        parts = msgspec.json.decode(integration.body.source if integration.body else "", type=_Parts)
    except msgspec.DecodeError:
        raise InvalidRequest("the parts of the mail in the export are not JSON text") from None
    sender = integration.sender or _addresses(parts.sender, values, "the sender")
    headers = {"From": sender, "To": _addresses(parts.to, values, "the recipients")}
    if not sender:
        raise InvalidRequest("the mail has no sender: give [email] sender in the manifest")
    if not headers["To"]:
        raise InvalidRequest("the mail has no recipient")
    if reply_to := _addresses(parts.reply_to or "", values, "the addresses to reply to"):
        headers["Reply-To"] = reply_to
    headers["Subject"] = _line(parts.subject, values, "the subject")
    kind = "html" if str(parts.is_html).lower() == "true" else "plain"
    headers["Content-Type"] = f"text/{kind}; charset=utf-8"
    text = compile_template(parts.body).render(lambda hole: text_of(value_of(hole, values)))
    body = whole_characters(text).replace("\0", "").encode()
    if len(body) > _LONGEST_TEXT:
        raise InvalidRequest(f"the text of the mail is larger than {_LONGEST_TEXT} bytes")
    return Mail(integration.url.source, headers, body)


def addresses_in(header: str) -> list[str]:
    """Return the bare addresses of a header."""
    return [address for _, address in getaddresses([header])]


def _addresses(source: str, values: Mapping[str, Any], place: str) -> str:
    """Render a list of addresses, empty when there are none."""

    def one(hole: Placeholder) -> str:
        value = line_of(hole, values, place).strip()
        # An environment variable is the operator's word, anything else may be the consumer's.
        if hole.kind != "environment" and _SEPARATORS.search(value):
            raise InvalidRequest(
                f"the value of {{{hole.expression}}} cannot stand in {place}: it is more than an address"
            )
        return value

    text = _plain(compile_template(source).render(one).replace(";", ","), place)
    listed = [entry for entry in (part.strip() for part in text.split(",")) if entry]
    found = getaddresses(listed)
    if len(found) != len(listed) or not all(ADDRESS.fullmatch(address) for _, address in found):
        raise InvalidRequest(f"{place} are not all addresses" if len(listed) > 1 else f"{place}: it is no address")
    if len(listed) > MOST_RECIPIENTS:
        raise InvalidRequest(f"{place} are more than {MOST_RECIPIENTS}")
    return ", ".join(listed)


def _line(source: str, values: Mapping[str, Any], place: str) -> str:
    return _plain(compile_template(source).render(lambda hole: line_of(hole, values, place)), place)


def _plain(text: str, place: str) -> str:
    """Return the text of a header: one line, whatever else ends one."""
    line = " ".join(whole_characters(text).splitlines()).strip()
    if any(ord(char) < 32 or ord(char) == 127 for char in line.replace("\t", " ")):
        raise InvalidRequest(f"{place} has a control character")
    if len(line) > _LONGEST_LINE:
        raise InvalidRequest(f"{place} is longer than {_LONGEST_LINE} characters")
    return line
