"""Where a request goes in fact: addresses rewritten by the operator, and redirects. Pure."""

from collections.abc import Iterable

from yarl import URL

from shared.bot.integration import REDIRECTS
from shared.bot.secret_names import is_secret_header
from shared.integration.request import Request
from shared.integration.url import check_host

_BODY_HEADERS = frozenset({"content-type", "content-encoding", "content-language"})
# These may say: it is done, see there. 307 and 308 say: not here.
SEEN_TO = frozenset({301, 302, 303})


class RedirectRefused(Exception):  # noqa: N818  # a verdict about the answer, not a fault of ours
    """A redirect is not followed. The message says why, without values."""


def rewrite(url: str, rewrites: Iterable[tuple[str, str]]) -> str | None:
    """Return the address to use instead (`--rewrite-url FROM=TO`), None when no prefix fits.

    The longest prefix wins; a prefix ends at the end of the host or of a path segment.
    """
    fitting = (
        (len(prefix), target.rstrip("/") + url[len(prefix) :])
        for prefix, target in ((_plain(source), target) for source, target in rewrites)
        if url.startswith(prefix) and url[len(prefix) : len(prefix) + 1] in {"", "/", "?"}
    )
    return max(fitting, default=(0, None))[1]


def is_redirect(status: int, location: str | None) -> bool:
    """Tell whether an answer sends the caller elsewhere."""
    return status in REDIRECTS and bool(location)


def redirected(request: Request, status: int, location: str) -> Request:
    """Return the request that follows a redirect; raises RedirectRefused.

    303 becomes GET, 301 and 302 make GET of POST, 307 and 308 repeat the request. Another origin gets no secrets.
    """
    before = URL(request.url, encoded=True)
    try:
        joined = before.join(URL(location, encoded=False)).with_fragment(None).with_user(None)
        check_host(joined)
        after = URL(str(joined), encoded=True)
        same_origin = before.origin() == after.origin()  # ValueError for what comes out as no address, such as //@@
    except (ValueError, IndexError):  # the latter is yarl's for http://[a]@@
        raise RedirectRefused("the answer redirects to something that is no address") from None
    if after.scheme not in {"http", "https"}:
        raise RedirectRefused("the answer redirects to something that is neither http nor https")
    headers, method, body = request.headers, request.method, request.body
    if (status == 303 and method != "HEAD") or (status in {301, 302} and method == "POST"):
        method, body = "GET", None
        headers = {name: value for name, value in headers.items() if name.lower() not in _BODY_HEADERS}
    if not same_origin:
        # What proves to one origin who is calling is not for another's eyes.
        headers = {name: value for name, value in headers.items() if not is_secret_header(name)}
    return Request(method, str(after), headers, body)


def same_origin(one: str, other: str) -> bool:
    """Tell whether two addresses have scheme, host and port in common."""
    return URL(one, encoded=True).origin() == URL(other, encoded=True).origin()


def _plain(prefix: str) -> str:
    """Write a prefix as rendered addresses are written: lower case host, no default port, no final slash."""
    url = URL(prefix.rstrip("/"))
    return str(url.origin()) + url.raw_path.rstrip("/")
