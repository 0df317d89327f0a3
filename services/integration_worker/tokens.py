"""Tokens for calls: taken from the store while they last, fetched by one worker when there is none.

However many calls of however many workers need one, one of them asks the token end-point; the others wait for what it
stores. A failure is shared the same way for a moment, so that a token end-point that refuses is not stormed.
"""

import asyncio
import contextlib
import random
import secrets as randomness
from collections.abc import Awaitable, Callable

import msgspec
import structlog

from services.integration_worker import metrics
from services.integration_worker.patience import T, patiently
from shared.credentials.issued import Issued, NotIssued
from shared.credentials.token_store import Failed, Found, Kept, TokenStore
from shared.store.connection import RedisUnreachable

FETCH_SECONDS = 10.0  # less than the lock lives
FAILURE_MS, PASSING_MS = 2_000, 300
RENEWED_MS = 30_000  # a token renewed so lately is not renewed again: the API refuses something else
# Seconds before its end, at most a tenth of its life: another token is fetched beside the calls; it is used no more.
EARLIEST, LATEST = 60.0, 5.0
POLL_SECONDS = 0.05

log = structlog.get_logger()

Fetch = Callable[[str], Awaitable[Issued]]
"""Asks the token end-point, given the refresh token that is there. Raises NotIssued."""


class Tokens:
    """Gives tokens out. One serves a whole worker."""

    def __init__(self, store: TokenStore) -> None:
        self._store = store
        self._asking: dict[tuple[str, str], asyncio.Task[Kept]] = {}
        self._ahead: dict[str, asyncio.Task[None]] = {}

    async def token(self, name: str, fetch: Fetch, ends_at: float, refused: Kept | None = None) -> Kept:
        """Return a token until `ends_at` (the loop's clock); raises NotIssued.

        `refused` is one that the API answered with 401: another one is returned.
        """
        which = (name, refused.id if refused else "")
        task = self._asking.get(which)
        if task is None:
            task = self._asking[which] = asyncio.create_task(self._one(name, fetch, which[1]))
            task.add_done_callback(lambda done: self._asked(which, done))
        try:
            async with asyncio.timeout_at(ends_at):
                return await asyncio.shield(task)
        except TimeoutError:
            raise NotIssued("there was no token in time", passing=True) from None

    async def put(self, name: str, issued: Issued) -> None:
        """Keep what somebody has consented to. Raises NotIssued when another worker holds the lock for long."""
        holder = randomness.token_hex(8)
        for _ in range(round(2 * FETCH_SECONDS / POLL_SECONDS)):
            if await self._asks(lambda: self._store.lock(name, holder)):
                await self._kept(name, holder, issued, renewed=False)
                return
            await asyncio.sleep(POLL_SECONDS)
        raise NotIssued("another worker fetches a token of this credential all the time", passing=True)

    async def may_renew(self, refused: Kept) -> bool:
        """Tell whether a refused token may be renewed: not if it has just been, for then the reason is another."""
        try:
            return not refused.at or await self._store.now() - refused.at > RENEWED_MS
        except RedisUnreachable:
            return False

    def _asked(self, which: tuple[str, str], done: asyncio.Task[Kept]) -> None:
        del self._asking[which]
        if not done.cancelled():
            done.exception()  # heard, even if nobody waits any more

    async def _one(self, name: str, fetch: Fetch, refused: str) -> Kept:
        holder = randomness.token_hex(8)
        try:
            while True:
                found = await self._asks(lambda: self._store.find(name))
                token = _usable(found, refused)
                if token is not None:
                    if found.left_ms < token.early_ms and found.failed is None and name not in self._ahead:
                        self._fetch_ahead(name, fetch, token)
                    return token
                if await self._asks(lambda: self._store.lock(name, holder)):
                    return await self._with_lock(name, holder, fetch, refused, renewed=bool(refused))
                await asyncio.sleep(POLL_SECONDS * (0.5 + random.random()))  # noqa: S311 - spreads load, guards nothing
        except RedisUnreachable:
            raise NotIssued("the store of tokens cannot be reached", passing=True) from None

    def _fetch_ahead(self, name: str, fetch: Fetch, ending: Kept) -> None:
        """Fetch the next token while calls go on with the one that ends soon: they need not know if it fails."""

        async def ahead() -> None:
            holder = randomness.token_hex(8)
            with contextlib.suppress(NotIssued, RedisUnreachable):
                if await self._asks(lambda: self._store.lock(name, holder)):
                    await self._with_lock(name, holder, fetch, ending.id, renewed=False)

        task = self._ahead[name] = asyncio.create_task(ahead())
        task.add_done_callback(lambda _: self._ahead.pop(name, None))

    async def close(self) -> None:
        """Fetch nothing ahead any more."""
        for task in [*self._ahead.values()]:
            task.cancel()
            await asyncio.wait({task}, timeout=1)

    async def _with_lock(self, name: str, holder: str, fetch: Fetch, refused: str, *, renewed: bool) -> Kept:
        """Look again, since somebody may have stored one meanwhile; else fetch it."""
        try:
            found = _usable(await self._asks(lambda: self._store.find(name)), refused)
        except NotIssued:
            await self._asks(lambda: self._store.release(name, holder))
            raise
        if found is None:
            return await self._fetched(name, holder, fetch, renewed=renewed)
        await self._asks(lambda: self._store.release(name, holder))
        return found

    async def _fetched(self, name: str, holder: str, fetch: Fetch, *, renewed: bool) -> Kept:
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                grant = await self._store.grant(name)
                issued = await fetch(grant)
        except TimeoutError:
            error = NotIssued("the token end-point did not answer in time", passing=True)
            await self._failed(name, holder, error)
            raise error from None
        except NotIssued as error:
            await self._failed(name, holder, error)
            raise
        metrics.TOKEN_REQUESTS.labels("issued").inc()
        if not issued.refresh_token:  # the old one goes on, and is sealed anew with the first secret
            issued = msgspec.structs.replace(issued, refresh_token=grant)
        return await self._kept(name, holder, issued, renewed=renewed)

    async def _kept(self, name: str, holder: str, issued: Issued, *, renewed: bool) -> Kept:
        at = await self._asks(self._store.now) if renewed else 0
        early, late = (min(seconds, issued.life / 10) for seconds in (EARLIEST, LATEST))
        token = Kept(issued.access_token, randomness.token_hex(8), at, round((early - late) * 1000))
        life_ms = round((issued.life - late) * 1000)
        # Longer than for other questions: a refresh token that is not stored may be lost for good.
        await patiently(lambda: self._store.keep(name, holder, token, life_ms, issued.refresh_token), FETCH_SECONDS)
        return token

    async def _failed(self, name: str, holder: str, error: NotIssued) -> None:
        metrics.TOKEN_REQUESTS.labels("unreachable" if error.passing else "refused").inc()
        log.warning("no token", reason=str(error))
        failed = Failed(str(error), error.passing)
        life = PASSING_MS if error.passing else FAILURE_MS
        await self._asks(lambda: self._store.keep_failure(name, holder, failed, life))

    async def _asks(self, ask: Callable[[], Awaitable[T]]) -> T:
        return await patiently(ask, 5.0)


def _usable(found: Found, refused: str) -> Kept | None:
    """Return a token that was not refused; raises NotIssued when one could not be had a moment ago."""
    if found.token is not None and found.token.id != refused:
        return found.token
    if found.failed is not None:
        raise NotIssued(found.failed.why, passing=found.failed.passing)
    return None
