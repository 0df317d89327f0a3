"""A request as people may see it: what is secret or sensitive gives way to marks, and each mark has a name.

The request is rendered again with random marks in place of the values, so that what surrounds a value decides nothing:
it cannot be found again in the text, escaped or cut. Headers, query parameters and fields of the body that are called
like secrets are marked too, wherever their value came from.
"""

import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import unquote_plus

import msgspec

from shared.bot.egress import Proxy
from shared.bot.integration import MAIL, Integration
from shared.bot.manifest_credentials import Credential, MutualTls
from shared.bot.secret_names import MASK, is_secret_header, is_secret_name
from shared.dialog.events import SentRequest
from shared.integration.filling import InvalidRequest, value_of
from shared.integration.request import Request, render_request
from shared.integration.shown_credential import show_credential, show_proxy

_LONGEST: Final = 16_384
# Small letters and digits are the same in a host, a path, a header and a body; who gets a mail has to have an address.
_MAIL_END = "@mark.invalid"
_FIELD = re.compile(r'("(?P<name>(?:[^"\\]|\\.)*)"\s*:\s*)("(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*)')
_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9-]*)\s+(?=\S)")
_CASE_CHANGES = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NO_WORD = re.compile(r"[^A-Za-z0-9]+")


def nothing_sensitive(_name: str) -> bool:
    """Say of no variable that it is sensitive."""
    return False


class Shown(msgspec.Struct, frozen=True):
    """A request in whose texts marks stand; `names` are what the marks are called, such as `ORDERS_API_KEY`.

    `begin` is how all of its marks begin.
    `options` are what curl needs for proxy and credential, in place of or besides what is attached to the request.
    """

    request: Request
    begin: str
    names: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()

    def masked(self, text: str) -> str:
        """Return a text of the request with a mask in place of each mark."""
        return _marks(self.begin).sub(MASK, text)

    def pieces(self, text: str) -> list[tuple[str, str]]:
        """Take a text of the request apart: `(literal, "")`, or `("", name)` for what is not shown."""
        parts = _marks(self.begin).split(text)
        named = [(part, "") if at % 2 == 0 else ("", self.names[int(part)]) for at, part in enumerate(parts)]
        return [piece for piece in named if piece != ("", "")]

    def sent(self) -> SentRequest:
        """Return what a trace or a person may see, with a long body cut."""
        body = self.masked((self.request.body or b"").decode(errors="replace"))
        return SentRequest(
            method=self.request.method,
            address=self.masked(self.request.url),
            headers={name: self.masked(value) for name, value in self.request.headers.items()},
            body=body[:_LONGEST],
            cut=max(len(body) - _LONGEST, 0),
        )


def show_request(
    integration: Integration,
    values: Mapping[str, Any],
    request: Request,
    *,
    credential: Credential | None = None,
    certificate: MutualTls | None = None,
    proxy: Proxy | None = None,
    is_sensitive: Callable[[str], bool] = nothing_sensitive,
) -> Shown:
    """Return the request that was made of these values as it may be shown; `is_sensitive` is asked for variables.

    What `request` has beyond the rendered one (an idempotency key) is shown too, and what the credential attaches, with
    marks for its secrets, which are not read.
    """
    marks = _Marks(integration.name)
    marked = dict(values)
    for hole in integration.placeholders:
        if value_of(hole, values) not in (None, "") and (is_secret_name(hole.name) or is_sensitive(hole.name)):
            marked[hole.expression] = marks.mark(hole.name) + (_MAIL_END if integration.kind == MAIL else "")
    try:
        shown = render_request(integration, marked)
    except InvalidRequest:  # a mark cannot stand where the value can: as the whole address, say
        return Shown(Request(request.method, marks.own("address")), marks.begin, tuple(marks.names))
    added = {name: value for name, value in request.headers.items() if shown.header(name) is None}
    headers = {name: marks.header(name, value) for name, value in {**shown.headers, **added}.items()}
    body = None if shown.body is None else marks.body(shown.body.decode()).encode()
    marked_request = Request(shown.method, marks.address(shown.url), headers, body)
    options = () if proxy is None else show_proxy(proxy, marks.mark)
    if credential is None:
        return Shown(marked_request, marks.begin, tuple(marks.names), options)
    attached = show_credential(integration.credential, credential, marks.mark)
    if certificate is not None:
        options += show_credential(getattr(credential, "mutual_tls", ""), certificate, marks.mark).options
    request = attached.attachment.on(marked_request)
    return Shown(request, marks.begin, tuple(marks.names), (*options, *attached.options))


def _marks(begin: str) -> re.Pattern[str]:
    return re.compile(rf"{begin}n(\d{{1,4}})z(?:{re.escape(_MAIL_END)})?")


class _Marks:
    """Gives marks out, one for each name; the names of what is no variable begin with the integration's."""

    def __init__(self, integration: str) -> None:
        self.names: list[str] = []
        self.begin = f"mark{secrets.token_hex(8)}"
        self._integration = integration

    def mark(self, name: str, *, exact: bool = False) -> str:
        """Return the mark for a variable's value; `exact` keeps a name that is one of the environment already."""
        called = name if exact else _variable_name(name)
        if called not in self.names:
            self.names.append(called)
        return f"{self.begin}n{self.names.index(called)}z"

    def own(self, name: str) -> str:
        """Return the mark for something of the integration itself."""
        return self.mark(f"{self._integration}_{name}")

    def header(self, name: str, value: str) -> str:
        """Mark the value of a header that proves who is calling, but for its scheme (`Bearer`)."""
        if not is_secret_header(name) or self.begin in value or not value:
            return value
        scheme = _SCHEME.match(value)
        return (scheme[0] if scheme else "") + self.own(name)

    def address(self, url: str) -> str:
        """Mark the secrets in the query."""
        base, sign, query = url.partition("?")
        return f"{base}?{'&'.join(map(self._pair, query.split('&')))}" if sign else base

    def body(self, text: str) -> str:
        """Mark the secrets in a body that is JSON or a form."""
        if text.lstrip()[:1] in {"{", "["}:
            return _FIELD.sub(self._field, text)
        if re.fullmatch(r"[^\s=&]+=[^\s&]*(?:&[^\s=&]+=[^\s&]*)*", text):
            return "&".join(map(self._pair, text.split("&")))
        return text

    def _field(self, found: re.Match[str]) -> str:
        name = found["name"]
        if not is_secret_name(name) or self.begin in found[3] or found[3] == '""':
            return found[0]
        return f'{found[1]}"{self.own(name)}"'

    def _pair(self, pair: str) -> str:
        name, sign, value = pair.partition("=")
        called = unquote_plus(name)
        if not value or self.begin in value or not (called.lower() == "key" or is_secret_name(called)):
            return pair
        return f"{name}{sign}{self.own(called)}"


def _variable_name(name: str) -> str:
    """Return a name as variables of the environment are called: `cardNumber` becomes `CARD_NUMBER`."""
    words = _NO_WORD.sub("_", _CASE_CHANGES.sub("_", name)).strip("_").upper()
    return f"_{words}" if words[:1].isdigit() else words or "SECRET"
