"""What is sent: an integration and the values of its placeholders in, one HTTP request out. Pure."""

import base64
import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from shared.bot.integration import MAIL, Integration
from shared.integration.body import render_body
from shared.integration.filling import InvalidRequest, line_from
from shared.integration.mail import render_mail
from shared.integration.url import render_address, without_query

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
STANDARD_HEADERS: Final = "$botContext.__standardHeaders__"

_JSON: Final = "application/json;charset=UTF-8"
_LONGEST_BODY: Final = 2 * 1024 * 1024  # what a call may carry, as JSON text; a template may repeat it
_BODYLESS = frozenset({"GET", "HEAD"})
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# The frame of the message is the client's business: a wrong length would spoil the connection.
_FRAME = frozenset(
    {"connection", "content-length", "expect", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
)


class Request(msgspec.Struct, frozen=True):
    """One HTTP request. `headers` has every name once; `body` None sends none.

    A mail is one too: its address is the server's, its headers are the mail's, its body is the text.
    """

    method: str
    url: str
    headers: dict[str, str] = {}
    body: bytes | None = None

    def __repr__(self) -> str:
        return f"Request({self.method} {without_query(self.url)})"

    def header(self, name: str) -> str | None:
        """Return a header by its name in any case, None when it is not there."""
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), None)


def render_request(integration: Integration, values: Mapping[str, Any]) -> Request:
    """Render the request of an integration (CB: reference/dialogs.md 4.1, 4.2).

    `values` maps the expression of each placeholder to its JSON value; one that is missing is empty text (R12).
    Raises InvalidRequest when a value cannot stand where the template puts it (R13).
    """
    if integration.kind == MAIL:
        mail = render_mail(integration, values)
        return Request("POST", mail.address, mail.headers, mail.text)
    method = integration.method.upper()
    if method not in METHODS:
        raise InvalidRequest("the method has to be GET, POST, PUT, PATCH, DELETE, HEAD or OPTIONS")
    address = render_address(integration.url, integration.params, values)
    headers = _headers(integration, values)
    if address.credentials and "authorization" not in headers:
        basic = base64.b64encode(address.credentials.encode()).decode()
        headers["authorization"] = ("Authorization", f"Basic {basic}")
    body = None
    if integration.body is not None and method not in _BODYLESS:
        kind = headers.get("content-type", ("", ""))[1].partition(";")[0].strip().lower()
        body = render_body(integration.body, values, form=kind == "application/x-www-form-urlencoded")
        if len(body) > _LONGEST_BODY:
            raise InvalidRequest(f"the body is larger than {_LONGEST_BODY} bytes")
    return Request(method, address.url, dict(headers.values()), body)


def _headers(integration: Integration, values: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Return the headers by lower-case name; the default ones win over the author's."""
    headers: dict[str, tuple[str, str]] = {}
    for name_template, value_template in integration.headers:
        name = line_from(name_template, values, "the name of a header").strip()
        if not name or name.lower() in _FRAME:
            continue
        if not _HEADER_NAME.fullmatch(name):
            raise InvalidRequest("the name of a header has a character that cannot stand there")
        value = line_from(value_template, values, f"the header {name_template.source.strip()}").strip()
        if any(ord(char) < 32 or ord(char) == 127 for char in value):
            raise InvalidRequest(f"the header {name_template.source.strip()} has a control character")
        headers[name.lower()] = (name, value)
    if integration.default_headers and values.get(STANDARD_HEADERS) != "off":
        headers["accept"] = ("Accept", _JSON)
        headers["content-type"] = ("Content-Type", _JSON)
    return headers
