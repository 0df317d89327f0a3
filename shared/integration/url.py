"""The address of a call: template and query parameters in, a URL out whose values cannot leave their place.

A value that opens the template stands as it is, since bots keep whole addresses in variables. Any later value is
percent-encoded in path and query; in the host it may be no more than a piece of a host name.
"""

import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from yarl import URL

from shared.bot.templates import Placeholder, Template
from shared.integration.filling import InvalidRequest, line_from, line_of, whole_characters

_ADDRESS = re.compile(r"(?P<scheme>https?)://(?P<authority>[^/?#\\\s]*)(?P<rest>(?:[/?].*)?)", re.IGNORECASE)
_AUTHORITY_END = re.compile(r"[/?#\\]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_LABEL = re.compile(r"[A-Za-z0-9_-]*")
_PORT = re.compile(r"\d{0,5}")
_NOTHING = re.compile(r"")
_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])?(?::\d{1,5})?")
_KEPT = "!$&'()*+,;=:@/?~%"
_LONGEST = 16_384


class Address(NamedTuple):
    """A URL without credentials and fragment, and the credentials (`user:password`) that stood in it."""

    url: str
    credentials: str


def render_address(
    template: Template, params: Iterable[tuple[Template, Template]], values: Mapping[str, Any]
) -> Address:
    """Render the address with its query parameters; raises InvalidRequest."""
    text = ""
    for at, part in enumerate(template.parts):
        text += part if isinstance(part, str) else _filled(text, part, values, template.parts[at + 1 :])
    address = _checked(whole_characters(text).strip().partition("#")[0])
    pairs = [
        (line_from(name, values, "a query parameter"), line_from(value, values, "a query parameter"))
        for name, value in params
    ]
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs if name.strip())
    if not query:
        return address
    joint = "&" if "?" in address.url else "?"
    return address._replace(url=f"{address.url.rstrip('&?')}{joint}{query}")


def check_host(url: URL) -> None:
    """Raise ValueError for a host in brackets that is no IPv6 address, [x::1] for one, of which yarl makes x::1."""
    if ":" in (url.raw_host or ""):
        ipaddress.IPv6Address(url.raw_host or "")


def without_query(url: str) -> str:
    """Return the address for people: no query, no credentials."""
    scheme, _, rest = url.partition("://")
    authority, slash, path = rest.partition("?")[0].partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"


def _filled(before: str, hole: Placeholder, values: Mapping[str, Any], following: tuple[str | Placeholder, ...]) -> str:
    """Return what a placeholder puts into the address between what stands there already and what follows."""
    value = line_of(hole, values, "the address")
    scheme, sign, after = before.lstrip().partition("://")
    if not scheme:
        return value.strip().partition("#")[0]
    if sign and _AUTHORITY_END.search(after):
        return quote(value, safe="")
    host_begun = bool(after.rpartition("@")[2])
    rest = _rest_of_host(following)
    if sign and host_begun and value.startswith("/") and not rest:
        return quote(value, safe="/")
    # An environment variable is the operator's word, anything else may be the consumer's: it may name one part of a
    # host whose end is written out, or a port, but not become the end of a host (api.example.com, …community).
    free = bool(sign) and (not host_begun or hole.kind == "environment")
    if free:
        allowed = _HOST
    elif after.endswith(":"):
        allowed = _PORT
    else:
        allowed = _LABEL if not sign or "." in rest else _NOTHING
    if not allowed.fullmatch(value):
        raise InvalidRequest(f"the value of {{{hole.expression}}} cannot stand in the host of the address")
    return value


def _rest_of_host(following: tuple[str | Placeholder, ...]) -> str:
    """Return what is written out of the host after a placeholder in it."""
    text = "".join(part for part in following if isinstance(part, str))
    return _AUTHORITY_END.split(text, maxsplit=1)[0]


def _checked(text: str) -> Address:
    if not text:
        raise InvalidRequest("the address is empty")
    found = _ADDRESS.fullmatch(text)
    if found is None or _CONTROL.search(text):
        raise InvalidRequest("the address has to begin with http:// or https:// and be one line")
    credentials, _, host = found["authority"].rpartition("@")
    try:
        origin = URL(f"{found['scheme'].lower()}://{host}").origin()
        check_host(origin)
    except (ValueError, IndexError):
        raise InvalidRequest("the address has no valid host and port") from None
    rest = quote(_LONE_PERCENT.sub("%25", found["rest"]), safe=_KEPT)
    if not rest.startswith("/"):
        rest = f"/{rest}"
    if any(unquote(segment) in {".", ".."} for segment in rest.partition("?")[0].split("/")):
        raise InvalidRequest("the path of the address has a segment . or ..")
    if len(rest) > _LONGEST:
        raise InvalidRequest(f"the address is longer than {_LONGEST} characters")
    return Address(f"{origin}{rest}", unquote(credentials))
