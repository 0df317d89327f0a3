"""What a credential puts on a call: headers, query parameters, a client certificate. Only one origin sees them."""

import ssl
from urllib.parse import parse_qsl, quote, quote_plus

import msgspec

from shared.integration.redirects import same_origin
from shared.integration.request import Request

_MASK = "[secret]"
_SHORTEST_MASKED = 8  # a shorter text stands in answers by chance


class Attachment(msgspec.Struct, frozen=True):
    """Goes with a request to the origin it was made for. `hidden` is what no answer may give back."""

    headers: dict[str, str] = {}
    query: dict[str, str] = {}
    tls: ssl.SSLContext | None = None
    hidden: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return "Attachment(...)"

    def masked(self, text: str) -> str:
        """Return a text of an answer without the secrets: some servers repeat what they were sent."""
        for secret in self.hidden:
            for shape in _shapes(secret) if len(secret) >= _SHORTEST_MASKED else ():
                text = text.replace(shape, _MASK)
        return text

    def on(self, request: Request) -> Request:
        """Return a request with headers and query parameters; they win over the bot's of the same name."""
        names = {name.lower() for name in self.headers}
        kept = {name: value for name, value in request.headers.items() if name.lower() not in names}
        return Request(request.method, self._address(request.url), {**kept, **self.headers}, request.body)

    def _address(self, url: str) -> str:
        if not self.query:
            return url
        base, _, query = url.partition("?")
        kept = [part for part in query.split("&") if part and not self._is_ours(part)]
        ours = [f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in self.query.items()]
        return f"{base}?{'&'.join([*kept, *ours])}"

    def _is_ours(self, part: str) -> bool:
        return any(name in self.query for name, _ in parse_qsl(part, keep_blank_values=True))

    def without(self, url: str) -> str:
        """Return an address without the query parameters, for a redirect that repeats them to somebody else."""
        if not self.query:
            return url
        base, mark, query = url.partition("?")
        kept = "&".join(part for part in query.split("&") if not self._is_ours(part))
        return f"{base}{mark}{kept}" if kept else base


def _shapes(secret: str) -> set[str]:
    """Return how a text may stand in an answer: as it is, in an address, in JSON."""
    return {
        secret,
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        msgspec.json.encode(secret).decode()[1:-1],
    }


NOTHING = Attachment()


class Attached:
    """A chain of redirects with what is attached: once it has left the first origin, nothing is attached any more."""

    def __init__(self, attachment: Attachment, origin: str) -> None:
        self._attachment = attachment
        self._origin = origin
        self.there = True

    def prepared(self, request: Request) -> Request:
        """Return the request of the next hop as it is sent."""
        self.there = self.there and same_origin(self._origin, request.url)
        if self.there:
            return self._attachment.on(request)
        return msgspec.structs.replace(request, url=self._attachment.without(request.url))

    @property
    def tls(self) -> ssl.SSLContext | bool:
        """What aiohttp takes as `ssl`: the client certificate, or its default."""
        return self._attachment.tls or True if self.there else True
