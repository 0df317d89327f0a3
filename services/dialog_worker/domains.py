"""Variables that are looked up: the hosts of LivePerson services, before a turn is handed to its process.

A turn waits for a host only when none was ever known and nobody has tried before, for two seconds at most. After that
it goes on with what is known: what is stale is looked up again beside the turns, and stays when that fails.
"""

import asyncio
import re
from collections.abc import Mapping
from typing import Protocol
from urllib.parse import quote

import msgspec
import structlog

from services.dialog_worker import metrics
from shared.bot.domains import Domain
from shared.bot.integration import Policy
from shared.integration.client import OutboundClient
from shared.integration.redirects import rewrite
from shared.integration.request import Request
from shared.store.connection import RedisUnreachable
from shared.store.domains import KnownHost

PATIENCE_SECONDS, LOOK_UP_SECONDS, AGAIN_SECONDS, LONGEST_KNOWN_SECONDS = 2.0, 5.0, 10.0, 60.0
_LARGEST_ANSWER = 65_536
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(?::\d{1,5})?")

log = structlog.get_logger()


class HostStore(Protocol):
    """Where hosts are kept for all workers (`shared.store.domains`); `botlane call` has none, and stands in."""

    async def look(self, account: str, service: str) -> KnownHost:
        """Return what is known of a service of an account. Raises RedisUnreachable, as `keep` does."""

    async def keep(self, account: str, service: str, host: str) -> None:
        """Store a host that was looked up now."""


class _Entry(msgspec.Struct):
    service: str = ""
    baseURI: str = ""  # noqa: N815 - the service's word


class _Said(_Entry):
    """One service's answer, in the form that clients read and in that of the documents."""

    baseURIs: list[_Entry] = []  # noqa: N815 - the service's word


class _Known(msgspec.Struct, frozen=True):
    """A host as this process knows it, None when it is not known, and until when nobody else is asked."""

    host: str | None
    until: float


class LookedUp:
    """Looks variables up. One serves a whole worker.

    `address` is the service that knows (LivePerson's, or one's own); `account` stands for variables that name none.
    """

    def __init__(
        self, store: HostStore, address: str, account: str, rewrites: tuple[tuple[str, str], ...] = ()
    ) -> None:
        self._store = store
        self._address = address.rstrip("/")
        self._account = account
        own = () if rewrite(self._address, rewrites) else ((self._address, self._address),)  # the operator's word
        self._client = OutboundClient((*rewrites, *own))
        self._known: dict[Domain, _Known] = {}
        self._looking: dict[Domain, asyncio.Task[str | None]] = {}

    async def variables(self, wanted: Mapping[str, Domain]) -> dict[str, str]:
        """Return the hosts that are known, by variable. Raises RedisUnreachable."""
        if not wanted:
            return {}
        hosts = await asyncio.gather(*map(self._host, wanted.values()))
        return {name: host for name, host in zip(wanted, hosts, strict=True) if host is not None}

    async def close(self) -> None:
        """Stop looking up."""
        for task in [*self._looking.values()]:
            task.cancel()
            await asyncio.wait({task}, timeout=1)
        await self._client.close()

    async def _host(self, domain: Domain) -> str | None:
        loop = asyncio.get_running_loop()
        known = self._known.get(domain)
        if known is not None and loop.time() < known.until:
            return known.host
        found = await self._store.look(domain.account or self._account, domain.service)
        learnt = self._known.get(domain)
        if found.host is None and learnt is not None and learnt.host is not None and loop.time() < learnt.until:
            return learnt.host  # it was looked up while the store answered
        host = known.host if found.host is None and known is not None else found.host
        seconds = min(found.fresh_ms / 1000, LONGEST_KNOWN_SECONDS) if found.fresh_ms else AGAIN_SECONDS
        self._known[domain] = _Known(host, loop.time() + seconds)
        if found.fresh_ms:
            return host
        if found.ours or (host is None and known is None):
            looking = self._look_up(domain)
            if host is None and known is None:
                await asyncio.wait({looking}, timeout=PATIENCE_SECONDS)
        return self._known[domain].host

    def _look_up(self, domain: Domain) -> "asyncio.Task[str | None]":
        """Look up in a task of its own, one for all who ask."""
        task = self._looking.get(domain)
        if task is None:
            task = self._looking[domain] = asyncio.get_running_loop().create_task(self._ask(domain))
            task.add_done_callback(lambda _: self._looking.pop(domain, None))
        return task

    async def _ask(self, domain: Domain) -> str | None:
        account = domain.account or self._account
        host, why = await self._answer(account, domain.service) if account else (None, "no account is given")
        metrics.LOOK_UPS.labels("failed" if host is None else "done").inc()
        if host is None:
            log.warning("a domain was not looked up", service=domain.service, reason=why)
            return None
        self._known[domain] = _Known(host, asyncio.get_running_loop().time() + LONGEST_KNOWN_SECONDS)
        try:
            await self._store.keep(account, domain.service, host)
        except RedisUnreachable:
            log.warning("a domain was looked up and cannot be kept", service=domain.service)
        return host

    async def _answer(self, account: str, service: str) -> tuple[str | None, str]:
        """Return the host, or why there is none."""
        path = f"/api/account/{quote(account, safe='')}/service/{quote(service, safe='')}/baseURI.json?version=1.0"
        policy = Policy(total_timeout=LOOK_UP_SECONDS, redirects=0, response_limit=_LARGEST_ANSWER)
        answer = await self._client.attempt(Request("GET", self._address + path), policy, limit=LOOK_UP_SECONDS)
        if answer.ending.failure is not None:
            return None, answer.ending.detail
        if answer.ending.status != 200:
            return None, f"status {answer.ending.status}"
        try:
            said = msgspec.json.decode(answer.body, type=_Said)
        except msgspec.DecodeError:
            return None, "the answer is not what such a service says"
        host = said.baseURI or next((one.baseURI for one in said.baseURIs if one.service == service), "")
        return (host, "") if _HOST.fullmatch(host) else (None, "the answer names no host")
