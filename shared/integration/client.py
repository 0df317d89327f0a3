"""The one outbound client: one attempt in, one answer out. Errors of aiohttp end here, in one table.

An attempt is an exchange with all its redirects, its body read to the end, within one time limit. Every hop is
checked when it connects, and rewritten if the operator says so (`--rewrite-url`).
"""

import asyncio
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from types import SimpleNamespace
from typing import Final, NamedTuple, Self

import aiohttp
import msgspec
from yarl import URL

from shared.bot.integration import UNSAFE_METHODS, Policy
from shared.integration.addresses import EgressRefused, guarded_connector, networks, open_connector
from shared.integration.attachment import NOTHING, Attached, Attachment
from shared.integration.filling import whole_characters
from shared.integration.look_up import LookUp
from shared.integration.policy import Ending
from shared.integration.redirects import SEEN_TO, RedirectRefused, is_redirect, redirected, rewrite, same_origin
from shared.integration.request import Request
from shared.integration.response import decode_body, retry_after
from shared.integration.unpacking import Damaged, Unpacker
from shared.integration.ways import HeldBack, NotAllowed, ProxyUnusable, Via, Ways

_NO_CONNECTION: Final = Ending(failure="unreachable", detail="no connection within its time limit")
# The first class that fits wins; `unreachable` promises that nothing was sent.
_ENDINGS: Final[tuple[tuple[type[BaseException], Ending], ...]] = (
    (aiohttp.ClientProxyConnectionError, Ending(failure="unreachable", detail="the proxy did not accept a connection")),
    (aiohttp.ClientConnectorDNSError, Ending(failure="unreachable", detail="the name of the host was not found")),
    (aiohttp.ClientSSLError, Ending(failure="unreachable", detail="no trusted TLS connection could be made")),
    (aiohttp.ClientConnectorError, Ending(failure="unreachable", detail="the connection was not accepted")),
    (aiohttp.ConnectionTimeoutError, _NO_CONNECTION),
    (aiohttp.InvalidURL, Ending(failure="refused", detail="the address cannot be used")),
    (aiohttp.NonHttpUrlClientError, Ending(failure="refused", detail="the address is neither http nor https")),
    (aiohttp.ServerTimeoutError, Ending(failure="timeout", detail="the answer did not come in time")),
    (aiohttp.ClientPayloadError, Ending(failure="lost", detail="the body of the answer ended early or is damaged")),
    (Damaged, Ending(failure="lost", detail="the body of the answer ended early or is damaged")),
    (aiohttp.ClientResponseError, Ending(failure="lost", detail="the answer is not HTTP")),
    (aiohttp.ClientError, Ending(failure="lost", detail="the connection was lost")),
    (OSError, Ending(failure="lost", detail="the connection was lost")),
)
_PRIVATE_HEADERS: Final = frozenset({"set-cookie"})
_REFUSED: Final = Ending(failure="refused", detail="calls may not reach this address; see [egress] in the manifest")
# A proxy that does not connect has sent nothing on; over plain http its answer cannot be told from the API's.
_OF_PROXY: Final = {
    403: Ending(failure="refused", detail="the proxy does not connect to this host"),
    407: Ending(failure="credential", detail="the proxy asks for another user and password"),
}
_NOT_CONNECTED: Final = Ending(failure="unreachable", detail="the proxy could not connect to the host")
# What packing may add to a body; what arrives beyond it unpacks to nothing, perhaps without end.
_PACKING: Final = 65_536
_TOO_LATE: Final = Ending(failure="timeout", detail="the answer did not come in time")


class Answer(msgspec.Struct, frozen=True):
    """What an attempt brought: its ending and, when there was an answer, the answer's headers and text.

    `sent` is how many requests went out: one, and one more for every redirect that was followed.
    """

    ending: Ending
    headers: dict[str, str] = {}
    body: str = ""
    sent: int = 0

    def __repr__(self) -> str:
        return f"Answer({self.ending!r}, {len(self.body)} characters, sent={self.sent})"


class _Trail(msgspec.Struct):
    """What goes along with an attempt, and what it leaves behind however it ends."""

    attached: Attached
    sent: int = 0
    moved: bool = False
    hidden: tuple[str, ...] = ()


class _TooLarge(Exception):  # noqa: N818  # never leaves this module
    """The body exceeds the limit."""


_VERDICTS: Final[dict[type[Exception], str]] = {
    RedirectRefused: "refused",
    NotAllowed: "refused",
    ProxyUnusable: "credential",
    _TooLarge: "too_large",
}


class _Path(NamedTuple):
    """Where a hop really goes: the operator's own target, if it is one, and through which proxy."""

    target: str | None
    via: Via | None
    session: aiohttp.ClientSession


class OutboundClient:
    """Makes attempts. Use it as a context manager; one serves a whole program."""

    def __init__(self, rewrites: Iterable[tuple[str, str]] = ()) -> None:
        self._rewrites = tuple(rewrites)
        self._look_up = LookUp()
        self._sessions: dict[tuple[str, ...] | None, aiohttp.ClientSession] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    async def attempt(
        self,
        request: Request,
        policy: Policy,
        *,
        limit: float,
        ways: Ways = Ways(),  # noqa: B008 - immutable
        attachment: Attachment = NOTHING,
    ) -> Answer:
        """Make one attempt of at most `limit` seconds; `ways` say where the bot may go.

        What is attached goes to the origin of the request alone, and is masked where the answer repeats it.
        """
        trail = _Trail(Attached(attachment, request.url))
        answer = await self._attempt(request, policy, limit, ways, trail)
        hiding = attachment
        if trail.hidden:
            hiding = msgspec.structs.replace(attachment, hidden=(*attachment.hidden, *trail.hidden))
        headers = {name: hiding.masked(value) for name, value in answer.headers.items()}
        ending = msgspec.structs.replace(answer.ending, moved=trail.moved)
        return Answer(ending, headers, hiding.masked(answer.body), trail.sent)

    async def _attempt(self, request: Request, policy: Policy, limit: float, ways: Ways, trail: _Trail) -> Answer:
        try:
            async with asyncio.timeout(max(limit, 0)):
                return await self._follow(request, policy, ways, trail)
        except TimeoutError as error:
            if type(error) is not TimeoutError:
                return Answer(_ending(error))
            return Answer(_TOO_LATE if trail.sent or limit <= 0 else _NO_CONNECTION)
        except HeldBack as error:
            return Answer(error.ending)
        except tuple(_VERDICTS) as error:
            return Answer(Ending(failure=_VERDICTS[type(error)], detail=str(error)))
        except (aiohttp.ClientError, OSError, Damaged) as error:
            return Answer(_ending(error))

    async def _follow(self, request: Request, policy: Policy, ways: Ways, trail: _Trail) -> Answer:
        """Exchange hop by hop until an answer is no redirect, or none is to be followed."""
        open_from: str | None = None  # the operator's target this chain has been sent to
        for number in range(policy.redirects + 1):
            hop = trail.attached.prepared(request)
            path = await self._path(hop.url, open_from, ways)
            if number:
                await ways.moves(request.url)
            open_from = path.target
            trail.hidden += path.via.hidden if path.via else ()
            if path.target is not None:
                hop = msgspec.structs.replace(hop, url=path.target)
            async with _send(path, hop, policy, trail) as response:
                location = response.headers.get("Location")
                if policy.redirects == 0 or not is_redirect(response.status, location):
                    return await _read(response, policy.response_limit)
            trail.moved |= response.status in SEEN_TO and request.method in UNSAFE_METHODS
            # A relative address is relative to what the bot meant, an absolute one is what it says.
            request = redirected(request, response.status, location or "")
        raise RedirectRefused(f"more than {policy.redirects} redirects")

    async def _path(self, url: str, open_from: str | None, ways: Ways) -> _Path:
        """Return where a hop goes; what the operator has written may go anywhere, and directly."""
        if open_from is not None and same_origin(open_from, url):
            return _Path(rewrite(url, self._rewrites) or url, None, self._session(None))
        ways.check(url)
        target = rewrite(url, self._rewrites)
        if target is not None:
            return _Path(target, None, self._session(None))
        via = await ways.via(url)
        return _Path(None, via, self._session(ways.egress.private if via is None else None))

    def _session(self, private: tuple[str, ...] | None) -> aiohttp.ClientSession:
        """Return the session for a set of allowed inner ranges; None stands for the operator's targets and proxies."""
        if private not in self._sessions:
            connector = open_connector() if private is None else guarded_connector(networks(private), self._look_up)
            session = aiohttp.ClientSession(
                connector=connector,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),  # one consumer's cookies are not for the next
                headers={"User-Agent": "botlane"},
                skip_auto_headers=("Content-Type",),
                timeout=aiohttp.ClientTimeout(total=None),
                max_line_size=16_384,
                max_field_size=16_384,
                trace_configs=[_SENDING],
            )
            session._retry_connection = False  # noqa: SLF001  # an attempt is one exchange; aiohttp would add its own
            self._sessions[private] = session
        return self._sessions[private]


async def _count(_: aiohttp.ClientSession, context: SimpleNamespace, __: aiohttp.TraceRequestHeadersSentParams) -> None:
    """Count a request when its headers go out: until then the other side has seen nothing."""
    context.trace_request_ctx.sent += 1


_SENDING: Final = aiohttp.TraceConfig()
_SENDING.on_request_headers_sent.append(_count)


def _send(
    path: _Path, request: Request, policy: Policy, trail: _Trail
) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
    via = path.via
    return path.session.request(
        request.method,
        URL(request.url, encoded=True),
        headers=request.headers,
        data=request.body,
        allow_redirects=False,
        proxy=via.url if via else None,
        # aiohttp makes Proxy-Authorization of it, for tunnels and plain requests alike
        proxy_headers={"Authorization": via.authorization} if via and via.authorization else None,
        ssl=trail.attached.tls,
        timeout=aiohttp.ClientTimeout(total=None, connect=policy.connect_timeout),
        trace_request_ctx=trail,
    )


async def _read(response: aiohttp.ClientResponse, limit: int) -> Answer:
    """Read an answer to its end; the limit holds for what arrives and for what it unpacks to."""
    body = bytearray()
    unpacker = Unpacker(response.headers.get("Content-Encoding", ""))
    if response.method != "HEAD" and (response.content_length or 0) > limit:
        raise _too_large(limit)
    arrived = 0
    async for chunk in response.content.iter_any():
        arrived += len(chunk)
        body += unpacker.feed(chunk, limit - len(body))
        if len(body) > limit or arrived > limit + _PACKING:
            raise _too_large(limit)
    unpacker.end()
    headers = {
        name: whole_characters(", ".join(response.headers.getall(name)))
        for name in response.headers
        if name.lower() not in _PRIVATE_HEADERS
    }
    ending = Ending(
        status=response.status,
        retry_after=retry_after(response.headers.get("Retry-After"), response.headers.get("Date")),
    )
    return Answer(ending, headers, decode_body(bytes(body), response.headers.get("Content-Type", "")))


def _too_large(limit: int) -> _TooLarge:
    return _TooLarge(f"the answer is larger than {limit} bytes")


def _ending(error: BaseException) -> Ending:
    cause = getattr(error, "os_error", error)
    if isinstance(cause, EgressRefused):
        return _REFUSED
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return _OF_PROXY.get(error.status, _NOT_CONNECTED)
    return next(ending for kind, ending in _ENDINGS if isinstance(error, kind))
