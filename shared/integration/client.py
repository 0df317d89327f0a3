"""The one outbound client: one attempt in, one answer out. Errors of aiohttp end here, in one table.

An attempt is an exchange with all its redirects, its body read to the end, within one time limit. Every hop is
checked when it connects, and rewritten if the operator says so (`--rewrite-url`).
"""

import asyncio
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from types import SimpleNamespace
from typing import Final, Self

import aiohttp
import msgspec
from yarl import URL

from shared.bot.integration import Policy
from shared.integration.addresses import EgressRefused, guarded_connector, networks, open_connector
from shared.integration.attachment import NOTHING, Attached, Attachment
from shared.integration.filling import whole_characters
from shared.integration.look_up import LookUp
from shared.integration.policy import Ending
from shared.integration.redirects import RedirectRefused, is_redirect, redirected, rewrite, same_origin
from shared.integration.request import Request
from shared.integration.response import decode_body, retry_after
from shared.integration.unpacking import Damaged, Unpacker

# The first class that fits wins; `unreachable` promises that nothing was sent.
_ENDINGS: Final[tuple[tuple[type[BaseException], Ending], ...]] = (
    (aiohttp.ClientConnectorDNSError, Ending(failure="unreachable", detail="the name of the host was not found")),
    (aiohttp.ClientSSLError, Ending(failure="unreachable", detail="no trusted TLS connection could be made")),
    (aiohttp.ClientConnectorError, Ending(failure="unreachable", detail="the connection was not accepted")),
    (aiohttp.ConnectionTimeoutError, Ending(failure="unreachable", detail="no connection within its time limit")),
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
_TOO_LATE: Final = Ending(failure="timeout", detail="the answer did not come in time")


class Answer(msgspec.Struct, frozen=True):
    """What an attempt brought: its ending and, when there was an answer, the answer's headers and text.

    `sent` is how many requests went out: one, and one more for every redirect that was followed.
    """

    ending: Ending
    headers: dict[str, str] = {}
    body: str = ""
    sent: int = 0


class _Trail(msgspec.Struct):
    """What goes along with an attempt, and what it leaves behind however it ends."""

    attached: Attached
    sent: int = 0


class _TooLarge(Exception):  # noqa: N818  # never leaves this module
    """The body exceeds the limit."""


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
        private: tuple[str, ...] = (),
        attachment: Attachment = NOTHING,
    ) -> Answer:
        """Make one attempt of at most `limit` seconds; `private` are the inner ranges the bot may reach.

        What is attached goes to the origin of the request alone, and is masked where the answer repeats it.
        """
        trail = _Trail(Attached(attachment, request.url))
        answer = await self._attempt(request, policy, limit, private, trail)
        headers = {name: attachment.masked(value) for name, value in answer.headers.items()}
        return Answer(answer.ending, headers, attachment.masked(answer.body), trail.sent)

    async def _attempt(
        self, request: Request, policy: Policy, limit: float, private: tuple[str, ...], trail: _Trail
    ) -> Answer:
        try:
            async with asyncio.timeout(max(limit, 0)):
                return await self._follow(request, policy, private, trail)
        except TimeoutError as error:
            return Answer(_TOO_LATE if type(error) is TimeoutError else _ending(error))
        except (RedirectRefused, _TooLarge) as error:
            failure = "refused" if isinstance(error, RedirectRefused) else "too_large"
            return Answer(Ending(failure=failure, detail=str(error)))
        except (aiohttp.ClientError, OSError, Damaged) as error:
            return Answer(_ending(error))

    async def _follow(self, request: Request, policy: Policy, private: tuple[str, ...], trail: _Trail) -> Answer:
        """Exchange hop by hop until an answer is no redirect, or none is to be followed."""
        open_from: str | None = None  # the operator's target this chain has been sent to
        for _ in range(policy.redirects + 1):
            hop = trail.attached.prepared(request)
            target = rewrite(hop.url, self._rewrites)
            if target is None and open_from is not None and same_origin(open_from, hop.url):
                target = hop.url
            open_from = target
            session = self._session(None if target is not None else private)
            if target is not None:
                hop = msgspec.structs.replace(hop, url=target)
            async with _send(session, hop, policy, trail) as response:
                location = response.headers.get("Location")
                if policy.redirects == 0 or not is_redirect(response.status, location):
                    return await _read(response, policy.response_limit)
            # A relative address is relative to what the bot meant, an absolute one is what it says.
            request = redirected(request, response.status, location or "")
        raise RedirectRefused(f"more than {policy.redirects} redirects")

    def _session(self, private: tuple[str, ...] | None) -> aiohttp.ClientSession:
        """Return the session for a set of allowed inner ranges; None stands for the operator's own targets."""
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
    session: aiohttp.ClientSession, request: Request, policy: Policy, trail: _Trail
) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
    return session.request(
        request.method,
        URL(request.url, encoded=True),
        headers=request.headers,
        data=request.body,
        allow_redirects=False,
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
    async for chunk in response.content.iter_any():
        body += unpacker.feed(chunk, limit - len(body))
        if len(body) > limit:
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
    return next(ending for kind, ending in _ENDINGS if isinstance(error, kind))
